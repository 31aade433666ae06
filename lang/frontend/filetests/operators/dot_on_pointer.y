// test type-error
//: struct s { int a; };
_probe _oneshot {
    struct s *p = NULL;
    int x = p.a;
}
//> error 5:13: `.` needs a struct, and this is `struct s *` [write `->a`]
