// test run
#define A 1
#undef A
#ifdef A
#error "still there"
#endif
_probe _oneshot { int A = 2; printf("%d\n", A); }
//> 2
