// test run-error
_probe _oneshot {
    unsigned long a = 7, b = 0;
    printf("%ld\n", (long) (a % b));
}
//> _oneshot ended: division by zero at 4:21
