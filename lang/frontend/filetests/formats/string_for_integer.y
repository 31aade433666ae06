// test type-error
_probe _oneshot {
    printf("%d\n", "x");
}
//> error 3:20: `%d` prints an integer [this is `_str`] (help: a string is printed by `%s`)
