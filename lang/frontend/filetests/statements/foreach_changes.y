// test run
_probe _oneshot {
    long t[int];
    for (int i = 0; i < 5; i++) t[i] = i;
    _foreach (k, v in t) {
        _delete t[k + 1];
        t[100 + k] = 1;
        printf("%d ", k);
    }
    printf("\n%ld\n", _len(t));
}
//> 0 2 4 
//> 6
