// test type-error
_probe _oneshot {
    int n = 3;
    int a[n];
}
//> error 4:11: the length of an array must be a constant [`n` varies] (help: a growing array is `[]`; a table keyed by its type is `[typeof(n)]`)
