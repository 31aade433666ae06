// test type-error
_probe _oneshot {
    struct s { int a; };
    struct s t[int];
    _foreach (k, v in t _by v) puts("x");
}
//> error 5:29: the key to sort by must be a number, a pointer or a string [this is `struct s`]
