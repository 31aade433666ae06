// test type-error
_probe _oneshot {
    long n = _reg(3);
}
//> error 3:19: the argument `name` of `_reg` must be `_str` [this is `int`] (help: write `_tostr(n)`, or `sprintf("…", n)`)
