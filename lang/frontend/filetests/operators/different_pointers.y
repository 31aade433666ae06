// test type
_probe _oneshot {
    int *p = NULL;
    long *q = p;
}
//> warning 4:15: the value of `q` is `long *`, made from `int *` [another type of pointer] (help: write `(long *) …` if that is meant)
//> _probe _oneshot() -> void { p: int *, q: long * }
