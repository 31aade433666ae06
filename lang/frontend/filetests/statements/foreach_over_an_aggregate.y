// test type-error
_probe _oneshot {
    _agg a;
    _foreach (v in a) puts("x");
}
//> error 4:20: an aggregate holds no elements to walk [this is `_agg`]
