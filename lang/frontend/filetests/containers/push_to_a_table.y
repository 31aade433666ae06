// test type-error
_probe _oneshot {
    long t[int];
    _push(t, 1);
}
//> error 4:11: `_push` takes a growing array [this is `long [int]`] (help: a growing array is declared `T a[];`)
