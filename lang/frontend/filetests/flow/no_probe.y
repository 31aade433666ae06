// test type
int f(int a) { return a; }
_probe _end { f(1); }
//> f(a: int) -> int
//> _probe _end() -> void
