// test type
int f(int a) { switch (a) { case 1: return 1; default: break; } }
_probe _oneshot { f(1); }
//> warning 2:5: `f` may end without a value [it returns `int`; 0 is used] (help: end it with `return …;`)
//> f(a: int) -> int
//> _probe _oneshot() -> void
