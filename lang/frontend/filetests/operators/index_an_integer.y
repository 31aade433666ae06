// test type-error
_probe _oneshot {
    int x = 3;
    int y = x[0];
}
//> error 4:13: only arrays, tables, pointers and strings have elements [this is `int`]
