// test type-error
_probe _oneshot {
    long n = _pid(1);
}
//> error 3:14: wrong number of arguments for `_pid` [1 given] (help: it is `_pid()`)
