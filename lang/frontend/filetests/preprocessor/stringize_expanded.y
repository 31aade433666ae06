// test run
#define S(x) #x
#define T(x) S(x)
#define N 4
_probe _oneshot { puts(S(N)); puts(T(N)); }
//> N
//> 4
