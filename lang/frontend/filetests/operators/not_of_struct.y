// test type-error
_probe _oneshot {
    struct s { int a; } a;
    int n = !a;
}
//> error 4:14: a condition must be a number, a pointer, a string or a path [this is `struct s`]
