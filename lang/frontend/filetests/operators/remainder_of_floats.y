// test type-error
_probe _oneshot {
    double d = 1;
    d = d % 2;
}
//> error 4:9: no `%` between `double` and `int` [these do not go together]
