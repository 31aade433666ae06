// test type-error
_probe _oneshot {
    long a[];
    _push(a, "x");
}
//> error 4:14: the element must be `long` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
