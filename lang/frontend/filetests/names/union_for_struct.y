// test type-error
_probe _oneshot {
    union u { int a; };
    struct u v;
}
//> error 4:12: `u` is a union [write `union u`]
