// test run
_probe _oneshot {
    int n = 0;
    do { n++; continue; } while (0);
    printf("%d\n", n);
}
//> 1
