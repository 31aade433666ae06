// test run
int f(int a) { _try { return 6 / a; } _catch { return -1; } }
_probe _oneshot { printf("%d %d\n", f(2), f(0)); }
//> 3 -1
