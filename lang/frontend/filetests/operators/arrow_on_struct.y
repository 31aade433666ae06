// test type-error
_probe _oneshot {
    struct s { int a; } v;
    int x = v->a;
}
//> error 4:13: `->` needs a pointer, and this is `struct s` [write `.a`]
