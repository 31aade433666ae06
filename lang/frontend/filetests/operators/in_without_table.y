// test type-error
_probe _oneshot {
    int n = 3;
    int m = 2 in n;
}
//> error 4:18: the right side of `in` must be a table or an array [this is `int`]
