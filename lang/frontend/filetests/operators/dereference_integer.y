// test type-error
_probe _oneshot {
    int x = *3;
}
//> error 3:14: only a pointer can be followed [this is `int`]
