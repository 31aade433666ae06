// test type-error
_probe _oneshot {
    int x = 3;
    int y = x.a;
}
//> error 4:13: `int` has no members [so there is no `a`]
