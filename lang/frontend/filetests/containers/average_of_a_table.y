// test type-error
_probe _oneshot {
    long t[int];
    long n = _avg(t);
}
//> error 4:19: `_avg` takes an aggregate [this is `long [int]`]
