// test run
long t[int];
_probe _oneshot {
    int zero = 0;
    _try { t[1] = 1 / zero; } _catch { }
    printf("%ld\n", _len(t));
    _try { t[2] = 5; t[3] = 1 / zero; } _catch { }
    printf("%ld\n", _len(t));
}
//> 0
//> 1
