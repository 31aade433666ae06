// test run
_probe _oneshot {
    long t[int];
    for (int i = 0; i < 6; i++) t[i] = i;
    _foreach (k, v in t _by v % 3 _limit 4) printf("%d ", k);
    puts("");
}
//> 0 3 1 4 
