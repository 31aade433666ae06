// test run
_probe _oneshot {
    long t[int];
    t[1] = 1;
    _foreach (k, v in t _limit -1) puts("never");
    puts("end");
}
//> end
