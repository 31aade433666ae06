// test type-error
_probe _oneshot {
    _agg a;
    a <<< "x";
}
//> error 4:11: the value added to the aggregate must be `long` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
