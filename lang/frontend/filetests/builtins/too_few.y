// test type-error
_probe _oneshot {
    _str s = _substr("a");
}
//> error 3:14: wrong number of arguments for `_substr` [1 given] (help: it is `_substr(_str s, long start, long length)`)
