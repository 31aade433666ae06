// test type-error
_probe _oneshot {
    long t[int];
    _sort(t);
}
//> error 4:11: `_sort` sorts a growing array [this is `long [int]`] (help: a table is walked in order by `_foreach (k, v in t _by v)`)
