// test type-error
_probe _oneshot {
    char *p = NULL;
    int n = p == _tostr(p);
}
//> error 4:13: an address in the target is compared with a string of the tracer [the two never are the same thing] (help: to compare the text, write `_tostr(p) == …`)
