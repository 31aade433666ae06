// test type-error
_probe _oneshot {
    struct s { int a; };
    struct s t[int];
    long n = _sum(t);
}
//> error 5:19: `_sum` needs numbers [the values are `struct s`] (help: name a member: `_sum(t.member)`)
