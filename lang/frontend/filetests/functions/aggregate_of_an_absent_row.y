// test run
long count(_agg a) { return _count(a); }
_agg n[_str];
_probe _oneshot { printf("%ld %ld\n", count(n["x"]), _elems(n)); }
//> 0 0
