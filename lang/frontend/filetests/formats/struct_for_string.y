// test type-error
_probe _oneshot {
    struct s { int a; } v;
    printf("%s\n", v);
}
//> error 4:20: `%s` prints a `_str` or a `char *` [this is `struct s`] (help: a whole struct is printed by `%V`)
