// test type-error
_probe _oneshot {
    long n = _len(3);
}
//> error 3:19: `_len` takes a string or a container [this is `int`]
