// test type-error
_probe _oneshot {
    _str s = "a" + 1;
}
//> error 3:14: no `+` between `_str` and `int` [these do not go together] (help: a number becomes a string by `_tostr(n)`)
