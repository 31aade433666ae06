// test run
#define V 3
#if V == 1
#error "one"
#elif V > 2 && !defined(W)
_probe _oneshot { puts("three"); }
#else
#error "else"
#endif
//> three
