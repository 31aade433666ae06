// test type-error
_probe _oneshot {
    3 = 4;
}
//> error 3:5: only a variable can be assigned to [this is a value without a place]
