// test type-error
int f(int a, int a) { return a; }
_probe _oneshot { f(1, 2); }
//> error 2:18: two parameters are called `a`
