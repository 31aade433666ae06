// test run
#define S(x) #x
_probe _oneshot { puts(S(a   + "b\n")); }
//> a + "b\n"
