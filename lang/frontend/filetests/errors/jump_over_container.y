// test type-error
_probe _oneshot {
    goto past;
    int a[];
    past:
    _push(a, 1);
}
//> error 3:5: this jumps past the declaration of the container `a`
