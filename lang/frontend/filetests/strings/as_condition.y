// test run
_probe _oneshot {
    _str a = "x", b;
    printf("%d %d %s\n", a && !b, a || b, b ? "yes" : "no");
}
//> 1 1 no
