// test run
struct s { long a, b; };
void add(struct s t[int]) { t[1].b = 2; }
struct s n[_str][int];
_probe _oneshot { add(n["x"]); printf("%V\n", n); }
//> {["x"] = {[1] = {a = 0, b = 2}}}
