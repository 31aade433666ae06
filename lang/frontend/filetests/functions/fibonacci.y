// test run
int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
_probe _oneshot { printf("%d\n", fib(20)); }
//> 6765
