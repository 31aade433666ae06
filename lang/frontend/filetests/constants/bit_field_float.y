// test type-error
_probe _oneshot {
    struct s { float a : 3; };
    struct s v;
}
//> error 3:26: a bit-field must be an integer [this one is `float`]
