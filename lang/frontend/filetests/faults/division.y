// test run-error
_probe _oneshot {
    int zero = 0;
    printf("before\n");
    printf("%d\n", 1 / zero);
}
//> before
//> _oneshot ended: division by zero at 5:20
