// test run
_probe _oneshot {
    long t[_str];
    t["b"] = 1; t["c"] = 2; t["a"] = 3;
    _foreach (k, v in t _by k) printf("%s=%ld ", k, v);
    puts("");
}
//> a=3 b=1 c=2 
