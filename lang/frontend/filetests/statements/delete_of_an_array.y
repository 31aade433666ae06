// test type-error
_probe _oneshot {
    long a[];
    _delete a[0];
}
//> error 4:13: `_delete` takes an element of a table [this is `long []`] (help: arrays shrink by `_pop(a)` and `_shift(a)`)
