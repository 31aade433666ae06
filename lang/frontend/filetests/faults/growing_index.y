// test run-error
_probe _oneshot {
    int a[];
    _push(a, 1);
    printf("%d\n", a[1]);
}
//> _oneshot ended: index out of range: index 1 is outside of an array of 1 elements at 5:20
