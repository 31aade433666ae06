// test type-error
_probe _oneshot {
    printf("%d\n", "text");
    printf("%s\n", 5);
    printf("%d %d\n", 1);
}
//> error 3:20: `%d` prints an integer [this is `_str`] (help: a string is printed by `%s`)
//> error 4:20: `%s` prints a `_str` or a `char *` [this is `int`] (help: an integer like this is printed by `%d`)
//> error 5:12: `%d` has no argument [its value is missing]
