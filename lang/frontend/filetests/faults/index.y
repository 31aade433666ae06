// test run-error
_probe _oneshot {
    int a[4];
    int i = 4;
    a[i] = 1;
}
//> _oneshot ended: index out of range: index 4 of 4 at 5:5
