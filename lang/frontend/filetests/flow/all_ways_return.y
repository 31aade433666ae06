// test type
int f(int a) { if (a) return 1; else return 2; }
int g(int a) { switch (a) { case 1: return 1; default: return 2; } }
int h(int a) { for (;;) { if (a++ > 3) return a; } }
int i(int a) { _raise("no"); }
int j(int a) { do { return a; } while (a); }
_probe _oneshot { f(1); g(1); h(1); i(1); j(1); }
//> f(a: int) -> int
//> g(a: int) -> int
//> h(a: int) -> int
//> i(a: int) -> int
//> j(a: int) -> int
//> _probe _oneshot() -> void
