// test run-error
_probe _oneshot {
    int a = 1;
    int by = 32;
    printf("%ld\n", (long) (a << (by - 1)));
    a <<= by;
}
//> -2147483648
//> _oneshot ended: shift out of range at 6:5
