// test type-error
_probe _oneshot {
    struct a { int a; } a;
    struct b { int a; } b;
    a = b;
}
//> error 5:9: the value of `a` must be `struct a` [this is `struct b`]
