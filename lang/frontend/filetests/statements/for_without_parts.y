// test run
_probe _oneshot {
    int n = 0;
    for (;;) { if (++n == 7) break; }
    printf("%d\n", n);
}
//> 7
