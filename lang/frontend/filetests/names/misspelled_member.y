// test type-error
_probe _oneshot {
    struct s { int length; } v;
    v.lenght = 1;
}
//> error 4:7: no member `lenght` in `struct s` [no such member] (help: did you mean `length`?)
