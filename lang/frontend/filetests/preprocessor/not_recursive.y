// test run
int f(int a) { return a + 1; }
#define f(x) f(x * 2)
_probe _oneshot { printf("%d\n", f(3)); }
//> 7
