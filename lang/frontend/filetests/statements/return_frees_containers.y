// test run
//! tracer-memory 60000
long work(int n) {
    long seen[int];
    for (int i = 0; i < 100; i++) {
        long inner[];
        _push(inner, i);
        seen[i] = inner[0];
        _foreach (k, v in seen) {
            if (k == n) return v;
        }
    }
    return -1;
}
_probe _oneshot {
    long sum = 0;
    for (int i = 0; i < 300; i++) sum += work(i % 100);
    printf("%ld\n", sum);
}
//> 14850
