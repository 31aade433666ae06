// test type-error
_probe _oneshot {
    _agg a;
    long n = _len(a);
}
//> error 4:14: an aggregate holds no elements [how many values it has seen is `_count(a)`]
