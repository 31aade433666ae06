// test run-error
_probe _oneshot {
    double z = 0;
    short v = (short) (z / z);
}
//> _oneshot ended: float out of range at 4:15
