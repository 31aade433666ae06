// test run
_probe _oneshot {
    long a[];
    for (int i = 0; i < 1000; i++) _push(a, i);
    long s = 0;
    while (_elems(a)) s += _shift(a);
    printf("%ld\n", s);
}
//> 499500
