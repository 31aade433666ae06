// test run
_probe _oneshot {
    _str s = "a";
    for (int i = 0; i < 3; i++) s += _tostr(i);
    puts(s);
}
//> a012
