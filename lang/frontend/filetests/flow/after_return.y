// test type
int f(int a) { return a; a++; a++; }
_probe _oneshot { f(1); }
//> warning 2:26: this is never reached [what stands before it always leaves]
//> f(a: int) -> int
//> _probe _oneshot() -> void
