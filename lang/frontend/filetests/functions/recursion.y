// test run
//! show steps
long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
_probe _oneshot { printf("%ld\n", fib(15)); }
//> 610
//> initialize: 1 steps
//> _oneshot: 1974 steps
