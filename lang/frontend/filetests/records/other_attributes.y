// test run
_probe _oneshot {
    struct s { int a __attribute__((unused)); } __attribute__((deprecated));
    struct s v __attribute__((unused));
    v.a = 1;
    printf("%zu %d\n", sizeof v, v.a);
}
//> 4 1
