// test run
_probe _oneshot {
    struct s { int a; union { int b; float f; }; struct { int c, d; }; } v;
    v.b = 1; v.c = 2; v.d = 3;
    printf("%V %zu\n", v, sizeof v);
}
//> {a = 0, {b = 1, f = 1e-45}, {c = 2, d = 3}} 16
