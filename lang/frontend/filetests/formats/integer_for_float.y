// test type-error
_probe _oneshot {
    printf("%f\n", 1);
}
//> error 3:20: `%f` prints a `double` [this is `int`] (help: an integer like this is printed by `%d`)
