// test run
#define g(x) 5
_probe _oneshot { int g = 4; printf("%d %d\n", g, g(1)); }
//> 4 5
