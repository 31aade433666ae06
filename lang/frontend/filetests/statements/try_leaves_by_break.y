// test run
_probe _oneshot {
    int i;
    for (i = 0; i < 5; i++) { _try { if (i == 2) break; } _catch { } }
    printf("%d\n", i);
}
//> 2
