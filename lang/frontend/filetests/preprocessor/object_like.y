// test run
#define N 3
#define M (N + 1)
_probe _oneshot { printf("%d\n", M * 2); }
//> 8
