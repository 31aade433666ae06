// test run
#define P(f, ...) printf(f, ##__VA_ARGS__)
_probe _oneshot { P("a\n"); P("%d %d\n", 1, 2); }
//> a
//> 1 2
