// test run
//! tracer-memory 100000
_probe _oneshot {
    int caught = 0;
    for (int i = 0; i < 1000; i++) {
        _try {
            long big[];
            for (int j = 0; j < 100; j++) _push(big, j);
            big[1000] = 1;
        } _catch { caught++; }
    }
    printf("%d\n", caught);
}
//> 1000
