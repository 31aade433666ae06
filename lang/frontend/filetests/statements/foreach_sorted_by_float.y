// test run
_probe _oneshot {
    double t[_str];
    t["b"] = 1.5; t["c"] = -2; t["a"] = 1.25;
    _foreach (k, v in t _by v) printf("%s ", k);
    puts("");
}
//> c a b 
