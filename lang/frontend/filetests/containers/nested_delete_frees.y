// test run
_probe _oneshot {
    long t[int][int];
    for (int i = 0; i < 100; i++) { t[i][i] = i; _delete t[i]; }
    printf("%ld\n", _elems(t));
}
//> 0
