// test type-error
_probe _oneshot {
    struct s { int a; } a;
    if (a) puts("x");
}
//> error 4:9: a condition must be a number, a pointer, a string or a path [this is `struct s`]
