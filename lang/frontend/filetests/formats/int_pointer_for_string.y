// test type-error
_probe _oneshot {
    int *p = NULL;
    printf("%s\n", p);
}
//> error 4:20: `%s` prints a `_str` or a `char *` [this is `int *`] (help: an address is printed by `%p`)
