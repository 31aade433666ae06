// test type-error
//: struct s;
_probe _oneshot {
    long n = sizeof(struct s);
}
//> error 4:14: the size of `struct s` is not known [the type is incomplete]
