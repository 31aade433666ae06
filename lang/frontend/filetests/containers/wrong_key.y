// test type-error
_probe _oneshot {
    long t[int];
    t["x"] = 1;
}
//> error 4:7: the key must be `int` [this is `_str`] (help: the number in a string is `_strtol(s, 10)`)
