// test run-error
_probe _oneshot {
    double d = 1e10;
    int i = d;
}
//> _oneshot ended: float out of range at 4:13
