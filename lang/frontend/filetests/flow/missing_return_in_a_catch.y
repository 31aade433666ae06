// test type
int f(int a) { _try { return 1; } _catch { } }
_probe _oneshot { f(1); }
//> warning 2:5: `f` may end without a value [it returns `int`; 0 is used] (help: end it with `return …;`)
//> f(a: int) -> int
//> _probe _oneshot() -> void
