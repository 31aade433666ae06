// test type-error
_probe _oneshot {
    int a[-1];
}
//> error 3:11: not a length of an array [this is -1]
