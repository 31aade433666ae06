// test run
_probe _oneshot {
    _str s = sprintf("%d-%s", 1, "x");
    printf("%s %ld\n", s, _len(s));
}
//> 1-x 3
