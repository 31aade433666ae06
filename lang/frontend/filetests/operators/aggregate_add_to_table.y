// test type-error
_probe _oneshot {
    long t[int];
    t <<< 3;
}
//> error 4:5: `<<<` adds to an aggregate [this is `long [int]`] (help: declare it as `_agg a;` or `_agg a[K];`)
