// test run-error
_probe _oneshot {
    int n = 1;
    assert(n == 1);
    assert(n == 2);
}
//> _oneshot ended: assertion failed: n == 2 at 5:5
