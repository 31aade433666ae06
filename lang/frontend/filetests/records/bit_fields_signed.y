// test run
_probe _oneshot {
    struct s { int a : 4; unsigned b : 4; } v;
    v.a = 15; v.b = 15;
    printf("%d %d\n", v.a, v.b);
}
//> -1 15
