// test run
//! tracer-memory 200000
int sum(int n) {
    int a[];
    for (int i = 0; i < n; i++) {
        int inner[int];
        inner[i] = i;
        _push(a, inner[i]);
        if (i == 50) return a[i];
    }
    return -1;
}
_probe _oneshot {
    int n = 0;
    for (int i = 0; i < 2000; i++) n += sum(60);
    printf("%d\n", n);
}
//> 100000
