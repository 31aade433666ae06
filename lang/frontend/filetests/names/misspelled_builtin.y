// test type-error
_probe _oneshot {
    _str s = _tsotr("a");
}
//> error 3:14: unknown function `_tsotr` [neither the script nor the built-ins have it] (help: did you mean `_tostr`?)
