// test run-error
_probe _oneshot {
    unsigned long a = 1;
    int by = -1;
    printf("%ld\n", (long) (a >> by));
}
//> _oneshot ended: shift out of range at 5:21
