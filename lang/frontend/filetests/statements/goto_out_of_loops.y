// test run
_probe _oneshot {
    int n = 0;
    for (int i = 0; ; i++)
        for (int j = 0; ; j++) {
            n++;
            if (i * j == 12) goto done;
            if (j == 9) break;
        }
    done:
    printf("%d\n", n);
}
//> 27
