// test type-error
_probe _oneshot {
    long t[int];
    int m = "a" in t;
}
//> error 4:13: the key must be `int` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
