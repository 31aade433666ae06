// test type-error
int f(_str a) { return 1; }
_probe _oneshot { f(1); }
//> error 3:21: the argument `a` of `f` must be `_str` [this is `int`] (help: write `_tostr(n)`, or `sprintf("…", n)`)
