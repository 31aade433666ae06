// test type-error
_probe _oneshot {
    printf("%V\n", puts("x"));
}
//> error 3:20: `%V` prints a value [this gives none]
