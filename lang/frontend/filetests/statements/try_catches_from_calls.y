// test run
int deep(int n) { return n ? deep(n - 1) : *(int *) 0x8; }
_probe _oneshot { _try { deep(5); } _catch (_fault f) { printf("%s %p\n", f.kind, f.addr); } }
//> unmapped 0x8
