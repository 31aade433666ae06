// test run
long get(long t[int]) { return t[1]; }
long indirect(long t[int]) { return get(t); }
long a[_str][int];
_probe _oneshot { printf("%ld %V\n", indirect(a["x"]), a); }
//> 0 {}
