// test run
_probe _oneshot {
    long a[][];
    long t[int][];
    _push(t[1], 5); _push(t[1], 6);
    printf("%V %ld\n", t, _elems(a));
}
//> {[1] = {5, 6}} 0
