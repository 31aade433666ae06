// test type-error
_probe _oneshot {
    int n = 3;
    if (n ~~ rx/a/) puts("x");
}
//> error 4:9: the text to match must be `_str` [this is `int`] (help: write `_tostr(n)`, or `sprintf("…", n)`)
