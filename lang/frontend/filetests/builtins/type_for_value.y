// test type-error
_probe _oneshot {
    long n = _len(int);
}
//> error 3:19: `_len` takes values [this is a type]
