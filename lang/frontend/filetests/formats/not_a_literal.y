// test type-error
_probe _oneshot {
    _str s = "x";
    printf(s);
}
//> error 4:12: a format must be a string literal [this is `_str`] (help: to print a string, write `printf("%s", s)`)
