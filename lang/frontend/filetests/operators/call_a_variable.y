// test type-error
_probe _oneshot {
    int x = 3;
    x(1);
}
//> error 4:5: only functions can be called [this is `int`]
