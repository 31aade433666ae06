// test run
_probe _oneshot {
    int n = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            if (j > i) break;
            if ((i + j) % 2) continue;
            n += 10 * i + j;
        }
    printf("%d\n", n);
}
//> 117
