// test type-error
_probe _oneshot {
    double d = 1;
    d = ~d;
}
//> error 4:10: `~` needs a number [this is `double`]
