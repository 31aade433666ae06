// test run
_probe _oneshot {
    int n = 0;
    for (int i = 0; i < 10; i++) {
        if (i == 3) continue;
        if (i == 6) break;
        n += i;
    }
    printf("%d\n", n);
    int k = 3;
    while (k) n += k--;
    printf("%d\n", n);
    do { n++; } while (n < 20);
    printf("%d\n", n);
    for (;;) { if (++n > 25) break; }
    printf("%d\n", n);
}
//> 12
//> 18
//> 20
//> 26
