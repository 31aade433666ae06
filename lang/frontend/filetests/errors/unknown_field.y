// test type-error
_probe _oneshot {
    struct s { int alpha; int beta; };
    struct s v;
    v.alhpa = 1;
}
//> error 5:7: no member `alhpa` in `struct s` [no such member] (help: did you mean `alpha`?)
