// test run
char f(int a) { return a; }
_probe _oneshot { printf("%d\n", f(200)); }
//> -56
