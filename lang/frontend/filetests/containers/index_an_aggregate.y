// test type-error
_probe _oneshot {
    _agg a;
    long n = a[0];
}
//> error 4:14: an aggregate has no elements [this is `_agg`]
