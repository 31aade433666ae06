// test type-error
_probe _oneshot {
    struct s { int a; } a, b;
    int n = a == b;
}
//> error 4:13: `struct s` and `struct s` cannot be compared [these do not go together] (help: compare their members)
