// test type-error
_probe _oneshot {
    int x = puts("a");
}
//> error 3:13: the value of `x` must be `int` [this is `void`] (help: this gives no value)
