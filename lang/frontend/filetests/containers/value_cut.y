// test run
_probe _oneshot {
    long a[];
    for (int i = 0; i < 300; i++) _push(a, i);
    _str s = sprintf("%V", a);
    printf("%d %d\n", _issuffix(s, "…}"), _len(s) < 2000);
}
//> 1 1
