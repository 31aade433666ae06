// test run
_probe _oneshot {
    struct __attribute__((packed)) s { int a : 7; long b : 64; char c; unsigned d : 13; } v;
    v.a = -3; v.b = -5000000000; v.c = 120; v.d = 4097;
    printf("%V %zu\n", v, sizeof v);
}
//> {a = -3, b = -5000000000, c = 'x', d = 4097} 12
