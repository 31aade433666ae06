// test run
void put(long t[int]) { t[2] = 1; }
void indirect(long t[int]) { put(t); }
long a[_str][int];
_probe _oneshot { indirect(a["x"]); printf("%V\n", a); }
//> {["x"] = {[2] = 1}}
