// test type-error
_probe _oneshot {
    printf("%*d\n", "x", 1);
}
//> error 3:21: the `*` of `%*d` must be an integer [this is `_str`]
