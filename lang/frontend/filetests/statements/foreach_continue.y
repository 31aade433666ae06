// test run
_probe _oneshot {
    long a[];
    _push(a, 1); _push(a, 2); _push(a, 3);
    _foreach (v in a) { if (v == 2) continue; printf("%ld ", v); }
    puts("");
}
//> 1 3 
