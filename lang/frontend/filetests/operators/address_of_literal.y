// test type-error
_probe _oneshot {
    int *p = &3;
}
//> error 3:14: `&` needs a variable or a member of the target [this is a value without a place]
