// test run
_probe _oneshot {
    _str s = "a\0b";
    printf("%ld %d %d\n", _len(s), s[1], s[2]);
}
//> 3 0 98
