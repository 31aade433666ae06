// test type
_probe _oneshot {
    char *p = 3;
}
//> warning 3:15: the value of `p` is a pointer made from `int` without a cast [an integer] (help: write `(char *) …`)
//> _probe _oneshot() -> void { p: char * }
