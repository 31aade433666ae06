// test run
_probe _oneshot {
    long t[int];
    t[1] = 1; t[2] = 2;
    _foreach (a, x in t) _foreach (b, y in t) printf("%d%d ", a, b);
    puts("");
}
//> 11 12 21 22 
