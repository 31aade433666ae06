// test type-error
_probe _oneshot {
    long t[int];
    _print(_hist_log(t));
}
//> error 4:22: `_hist_log` takes an aggregate [this is `long [int]`] (help: declare it as `_agg a;` or `_agg a[K];`)
