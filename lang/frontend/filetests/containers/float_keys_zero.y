// test run
_probe _oneshot {
    long t[double];
    t[0.0]++; t[-0.0]++;
    printf("%ld\n", _elems(t));
}
//> 1
