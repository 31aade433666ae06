// test run-error
_probe _oneshot {
    int a[];
    _pop(a);
}
//> _oneshot ended: index out of range: the array is empty at 4:5
