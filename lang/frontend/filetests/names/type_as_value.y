// test type-error
_probe _oneshot {
    typedef int t;
    int x = t;
}
//> error 4:13: `t` is a type [a value is wanted here]
