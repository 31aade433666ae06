// test run
_probe _oneshot {
    int n = 0;
    do n++; while (n < 5);
    printf("%d\n", n);
}
//> 5
