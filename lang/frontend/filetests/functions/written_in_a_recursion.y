// test run
void walk(int n, long t[int]) { if (n) walk(n - 1, t); else t[0] = 7; }
long a[_str][int];
_probe _oneshot { walk(5, a["x"]); printf("%V\n", a); }
//> {["x"] = {[0] = 7}}
