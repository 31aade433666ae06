// test type-error
_probe _oneshot {
    struct s { int a : 33; };
    struct s v;
}
//> error 3:24: not a width of a bit-field [`int` has 32 bits]
