// test run
_probe _oneshot {
    long a[];
    for (int i = 0; i < 6; i++) _push(a, i * 7 % 5);
    _sort(a _by x _desc);
    printf("%V\n", a);
}
//> {4, 3, 2, 1, 0, 0}
