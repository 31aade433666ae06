// test run-error
_probe _oneshot {
    double d = 1e19;
    short v = (short) d;
    printf("%ld\n", (long) v);
}
//> _oneshot ended: float out of range at 4:15
