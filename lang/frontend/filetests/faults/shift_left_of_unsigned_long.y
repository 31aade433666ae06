// test run-error
_probe _oneshot {
    unsigned long a = 1;
    int by = 64;
    printf("%ld\n", (long) (a << (by - 1)));
    a <<= by;
}
//> -9223372036854775808
//> _oneshot ended: shift out of range at 6:5
