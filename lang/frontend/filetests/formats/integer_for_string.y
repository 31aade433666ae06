// test type-error
_probe _oneshot {
    printf("%s\n", 1);
}
//> error 3:20: `%s` prints a `_str` or a `char *` [this is `int`] (help: an integer like this is printed by `%d`)
