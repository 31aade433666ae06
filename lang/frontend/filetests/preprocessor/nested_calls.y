// test run
#define A(x) B(x + 1)
#define B(x) (x * 2)
_probe _oneshot { printf("%d\n", A(A(1))); }
//> 5
