// test type-error
_probe _oneshot {
    _str s = _chop_token("a", ",");
}
//> error 3:26: only a variable can be assigned to [this is a value without a place]
