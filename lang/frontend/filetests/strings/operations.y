// test run
_probe _oneshot {
    _str s = "hello";
    s += " ";
    s = s + "world";
    printf("%s %ld %c\n", s, _len(s), s[4]);
    printf("%d %d %d\n", "a" < "b", "abc" == "abc", "b" <= "abc");
    printf("%d %d %d\n", _contains(s, "lo w"), _isprefix(s, "hell"), _issuffix(s, "x"));
    printf("%s|%s\n", _substr(s, 6, 3), _substr(s, 100, 3));
    printf("%ld %ld\n", _strtol("42abc", 10), _strtol("ff", 16));
    _str t = sprintf("%05d-%x", 42, 255);
    printf("%s\n", t);
}
//> hello world 11 o
//> 1 1 0
//> 1 1 0
//> wor|
//> 42 255
//> 00042-ff
