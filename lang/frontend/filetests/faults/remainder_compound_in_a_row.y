// test run-error
_probe _oneshot {
    long t[int];
    t[1] = 5;
    int zero = 0;
    t[1] %= zero;
}
//> _oneshot ended: division by zero at 6:5
