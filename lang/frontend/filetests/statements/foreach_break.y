// test run
_probe _oneshot {
    long t[int];
    for (int i = 0; i < 100; i++) t[i] = i * i;
    long sum = 0;
    _foreach (k, v in t) {
        if (k % 2) continue;
        if (k > 10) break;
        sum += v;
    }
    printf("%ld\n", sum);
    _foreach (k, v in t) {
        _foreach (k2, v2 in t _limit 2) sum += v2;
        if (k == 3) goto out;
    }
    out:
    printf("%ld\n", sum);
}
//> 220
//> 224
