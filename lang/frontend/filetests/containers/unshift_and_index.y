// test run
_probe _oneshot {
    long a[];
    _unshift(a, 1); _unshift(a, 2); _push(a, 3);
    printf("%V %ld\n", a, a[0]);
}
//> {2, 1, 3} 2
