// test run-error
_probe _oneshot {
    int n = 32;
    printf("%d\n", 1 << n);
}
//> _oneshot ended: shift out of range at 4:20
