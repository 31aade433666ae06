// test run
_probe _oneshot { printf("%d\n", later(2)); }
int later(int a) { return a * 2; }
//> 4
