// test type-error
_probe _oneshot {
    int n = "abc";
}
//> error 3:13: the value of `n` must be `int` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
