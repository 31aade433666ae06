// test run
long total(long t[int]) {
    long sum = 0;
    _foreach (k, v in t) sum += v;
    return sum;
}
long m[_str][int];
_probe _oneshot {
    m["a"][1] = 10;
    m["a"][2] = 20;
    _foreach (k, v in m) printf("%s %ld\n", k, total(v));
    printf("%ld\n", total(m["a"]));
}
//> a 30
//> 30
