// test type-error
_probe _oneshot {
    int n = 1;
    _str s = n ? "a" : 2;
}
//> error 4:14: the two arms have no common type [one is `_str`, the other `int`]
