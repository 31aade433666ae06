// test run
// At the return the stack of the call is gone: what lay there was kept.
//: struct large { long a, b, c; };
//: long f(long a, long b, long c, long d, long e, long g, int seventh, struct large l);
//! memory 0x7000 u64 0x401234 7 81 82 83
//! hit f rdi=1 rsi=2 rdx=3 rcx=4 r8=5 r9=6 rsp=0x7000
//! memory 0x7000 u64 0 0 0 0 0
//! return f rax=0 rsp=0x7008
_probe f(long a, long b, long c, long d, long e, long g, int seventh, struct large l) -> long r {
    printf("%d %d %d %d %d %d\n", a, g, seventh, l.a, l.b, l.c);
    printf("%d %d\n", _entry(l.b + seventh), _arg(6));
}
//> 1 6 7 81 82 83
//> 89 7
