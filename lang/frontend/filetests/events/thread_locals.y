// test run
// Thread-local variables, time and stack are those of the hit.
//: int tcache;
//: void f(int n);
//! thread-local tcache 0x18
//! memory 0x9500 u32 55
//! memory 0x9600 u32 66
//! hit f rdi=1 tid=5
//! hit f rdi=2 tid=6
_probe f(int n) { printf("%d: %d %d\n", n, tcache, _tid()); }
_probe f { printf("%d %d\n", _depth(_ubt()), _now_ns() > 0); }
//> 1: 55 5
//> 2 1
//> 2: 66 6
//> 2 1
