// test type-error
_probe _oneshot {
    int a;
    _delete a;
}
//> error 4:13: `_delete` takes an element of a table [this is none] (help: write `_delete t[k];`; `_clear(t)` empties a whole container)
