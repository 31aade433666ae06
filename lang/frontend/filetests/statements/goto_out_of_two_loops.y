// test run
_probe _oneshot {
    int i, j;
    for (i = 0; i < 5; i++) for (j = 0; j < 5; j++) if (i * j == 6) goto out;
    out: printf("%d %d\n", i, j);
}
//> 2 3
