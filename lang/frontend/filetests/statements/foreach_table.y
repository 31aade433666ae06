// test run
_probe _oneshot {
    long t[_str];
    t["b"] = 2;
    t["a"] = 1;
    t["c"] = 3;
    _foreach (k, v in t) printf("%s=%ld ", k, v);
    printf("\n");
    _foreach (k in t) printf("%s ", k);
    printf("\n");
    _foreach (k, v in t _by v _desc) printf("%s ", k);
    printf("\n");
    _foreach (k, v in t _by k _limit 2) printf("%s ", k);
    printf("\n");
}
//> b=2 a=1 c=3 
//> b a c 
//> c b a 
//> a b 
