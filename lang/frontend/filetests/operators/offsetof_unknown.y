// test type-error
_probe _oneshot {
    struct s { int a; };
    long n = offsetof(struct s, b);
}
//> error 4:33: no member `b` in `struct s` [no such member] (help: it has a)
