// test type-error
_probe _oneshot {
    printf("50%");
}
//> error 3:12: bad conversion `%` [the conversion has no letter]
