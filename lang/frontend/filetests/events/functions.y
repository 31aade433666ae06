// test run
// Functions of the script may ask for the hit if only probes on events reach them.
//: void f(int n);
//: void g(int n);
//! hit f rdi=1
//! hit g rdi=2
long calls[_str];
void count(int n) { calls[_func()] += n; }
_probe f(int n) { count(n); }
_probe g(int n) { count(n * 10); }
_probe _end { printf("%d\n", _sum(calls)); }
//> 21
