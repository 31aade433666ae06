// test run-error
_probe _oneshot {
    double z = 0;
    int v = (int) (z / z);
}
//> _oneshot ended: float out of range at 4:13
