// test run
_probe _oneshot {
    long t[_str][int][_str];
    t["a"][1]["x"] = 1; t["a"][1]["y"] = 2; t["a"][2]["x"] = 3; t["b"][1]["x"] = 4;
    _foreach (a, t1 in t) _foreach (b, t2 in t1) _foreach (c, v in t2) printf("%s %d %s %ld\n", a, b, c, v);
    printf("%ld %ld\n", t["none"][1]["x"], _elems(t));
}
//> a 1 x 1
//> a 1 y 2
//> a 2 x 3
//> b 1 x 4
//> 0 2
