// test run
_probe _oneshot {
    long t[_str];
    t["a"] = t["b"] + 1;
    t["b"] = t["a"] = 5;
    t["a"] += t["b"] + t["c"]++;
    printf("%ld %ld %ld %ld\n", t["a"], t["b"], t["c"], _len(t));
}
//> 10 5 1 3
