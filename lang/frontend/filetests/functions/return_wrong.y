// test type-error
_str f(int a) { return a; }
_probe _oneshot { f(1); }
//> error 2:24: the returned value must be `_str` [this is `int`] (help: write `_tostr(n)`, or `sprintf("…", n)`)
