// test run
#define SQ(x) ((x) * (x))
_probe _oneshot { printf("%d\n", SQ(2 + 1)); }
//> 9
