// test run
#define ADD(a, b) ((a) + (b))
_probe _oneshot { printf("%d\n", ADD(1,
  2)); }
//> 3
