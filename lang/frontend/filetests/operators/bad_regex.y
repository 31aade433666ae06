// test type-error
_probe _oneshot {
    _str s = "a";
    if (s ~~ rx/(/) puts("x");
}
//> error 4:14: this is not a regular expression [unclosed group]
