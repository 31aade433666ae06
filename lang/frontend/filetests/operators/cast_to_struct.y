// test type-error
_probe _oneshot {
    struct s { int a; };
    struct s v = (struct s) 3;
}
//> error 4:18: `int` cannot be cast to `struct s` [no such conversion exists] (help: to look at memory as another type, cast its address: `*(T *) &x`)
