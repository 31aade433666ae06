// test run
_probe _oneshot {
    long t[_path];
    _path p;
    t[p / "a" / "b"] += 1; t[p / "a" / "b"] += 1; t[p / "a"] += 5;
    _foreach (k, v in t) printf("%V %ld\n", k, v);
}
//> a / b 2
//> a 5
