// test run
_probe _oneshot {
    _str s;
    printf("[%s] %ld %d %d\n", s, _len(s), s == "", !s);
}
//> [] 0 1 1
