// test run
_probe _oneshot {
    struct s { int a; _str b; };
    struct s a[];
    _push(a, (struct s) { 1, "x" });
    a[0].a += 5;
    printf("%V %V\n", a, _pop(a));
}
//> {{a = 6, b = "x"}} {a = 6, b = "x"}
