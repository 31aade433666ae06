// test type-error
_probe _oneshot {
    printf("%d\n", 1, 2);
}
//> error 3:23: more arguments than the format has conversions [no conversion prints this]
