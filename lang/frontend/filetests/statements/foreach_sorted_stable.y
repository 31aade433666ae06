// test run
_probe _oneshot {
    long t[_str];
    t["b"] = 1; t["c"] = 0; t["a"] = 1;
    _foreach (k, v in t _by v _desc) printf("%s ", k);
    puts("");
}
//> b a c 
