// test run
_probe _oneshot {
    for (int i = 0; i < 3; i++) { int n; long t[int]; t[i] = 1; printf("%d %ld\n", n++, _elems(t)); }
}
//> 0 1
//> 0 1
//> 0 1
