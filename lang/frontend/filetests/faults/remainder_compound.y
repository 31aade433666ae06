// test run-error
_probe _oneshot {
    long t[int];
    t[1] = 5;
    t[1] %= 0 * t[1];
}
//> _oneshot ended: division by zero at 5:5
