// test type-error
_probe _oneshot {
    int n = 3;
    _foreach (v in n) puts("x");
}
//> error 4:20: what `_foreach` walks must be a table or an array [this is `int`]
