// test type
int f(int a) { switch (a) { case 1: return 1; break; default: return 2; break; } }
_probe _oneshot { f(1); }
//> f(a: int) -> int
//> _probe _oneshot() -> void
