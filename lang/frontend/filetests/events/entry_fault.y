// test run
// A value that could not be read at the entry faults where it is used, not before.
//: int f(int *p, int *q);
//! memory 0x5000 u32 7
//! hit f rdi=0x5000 rsi=0x66660000
//! return f rax=1
_probe f(int *p, int *q) -> int r {
    printf("%d\n", _entry(*p));
    _try { printf("%d\n", _entry(*q)); } _catch (_fault e) { printf("caught: %s\n", e.message); }
}
//> 7
//> caught: as of entry: unmapped: address 0x66660000 is not mapped
