// test type-error
_probe _oneshot {
    printf("%d\n", 1.5);
}
//> error 3:20: `%d` prints an integer [this is `double`] (help: a float is printed by `%f`)
