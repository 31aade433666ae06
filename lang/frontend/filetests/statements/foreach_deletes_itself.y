// test run
_probe _oneshot {
    long t[int];
    for (int i = 0; i < 6; i++) t[i] = i;
    _foreach (k, v in t) { if (v % 2) _delete t[k]; }
    printf("%V\n", t);
}
//> {[0] = 0, [2] = 2, [4] = 4}
