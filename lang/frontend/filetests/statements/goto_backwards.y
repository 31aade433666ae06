// test run
_probe _oneshot {
    int n = 0;
    again: n++;
    if (n < 4) goto again;
    printf("%d\n", n);
}
//> 4
