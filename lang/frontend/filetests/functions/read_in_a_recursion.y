// test run
long walk(int n, long t[int]) { return n ? walk(n - 1, t) : t[0]; }
long a[_str][int];
_probe _oneshot { printf("%ld %ld\n", walk(5, a["x"]), _elems(a)); }
//> 0 0
