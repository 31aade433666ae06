// test run
#define TWO \
  1 + \
  1
_probe _oneshot { printf("%d\n", TWO); }
//> 2
