// test type-error
_probe _oneshot {
    char *p = NULL;
    p = p + p;
}
//> error 4:9: no `+` between `char *` and `char *` [these do not go together]
