// test type-error
int f(int a) { return a; }
_probe _oneshot { long t[int]; f(t); }
//> error 3:34: `long [int]` is not a value [a container can be passed to functions, not copied or computed with] (help: take an element `[k]`, or its size `_len(…)`)
