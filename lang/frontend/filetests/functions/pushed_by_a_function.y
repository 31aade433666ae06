// test run
void add(long a[]) { _push(a, 1); }
long n[_str][];
_probe _oneshot { add(n["x"]); add(n["x"]); printf("%V\n", n); }
//> {["x"] = {1, 1}}
