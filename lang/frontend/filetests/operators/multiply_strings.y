// test type-error
_probe _oneshot {
    _str s = "a";
    s = s * 2;
}
//> error 4:9: no `*` between `_str` and `int` [these do not go together]
