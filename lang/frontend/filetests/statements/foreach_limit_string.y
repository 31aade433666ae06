// test type-error
_probe _oneshot {
    long t[int];
    _foreach (k in t _limit "x") puts("x");
}
//> error 4:29: the number after `_limit` must be `long` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
