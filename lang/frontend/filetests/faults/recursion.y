// test run-error
int f(int n) { return f(n + 1) + 1; }
_probe _oneshot { f(0); }
//> _oneshot ended: stack too deep at 2:23, from f at 2:23, from f at 2:23, from f at 2:23, from f at 2:23
