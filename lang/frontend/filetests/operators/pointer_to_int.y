// test type-error
_probe _oneshot {
    char *p = NULL;
    int n = p;
}
//> error 4:13: the value of `n` must be `int` [this is `char *`] (help: write `(int) …` if that is meant)
