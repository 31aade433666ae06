// test run
void move(long from[int], long to[int]) { _foreach (k, v in from) to[k] = v; }
long a[_str][int];
_probe _oneshot { a["x"][1] = 5; move(a["x"], a["y"]); move(a["none"], a["z"]); printf("%V\n", a); }
//> {["x"] = {[1] = 5}, ["y"] = {[1] = 5}, ["z"] = {}}
