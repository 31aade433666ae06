// test run-error
_probe _oneshot {
    double z = 0;
    long v = (long) (z / z);
}
//> _oneshot ended: float out of range at 4:14
