// test run
// A name stands for the function and for the copies that the compiler has made of it: each has its parameters elsewhere.
//: long both(long a, int b, short c, double d, long e);
//! copy both both.constprop.0 rdi 7 rsi xmm0 rdx
//! copy both both.isra.0 - rdi rsi xmm3 sp+16
//! copy both both.constprop.1 sp+8 -1 rdx xmm0 rcx
//! memory 0x7000 u64 0x401234 11 55
//! hit both rdi=1 rsi=2 rdx=3 rcx=4
//! return both rdi=0 rax=100
//! hit both.constprop.0 rdi=21 rsi=23 rdx=25
//! return both.constprop.0 rdi=0 rax=200
//! hit both.isra.0 rdi=32 rsi=33 rsp=0x7000
//! return both.isra.0 rdi=0 rax=300
//! hit both.constprop.1 rdx=43 rcx=44 rsp=0x7000
_probe both { printf("%s\n", _func()); }
_probe both(...) { printf("%d %d\n", b, c); }
_probe both(long a, int b, short c) -> long r { printf("%d %d -> %d\n", b, c, r); }
_probe both(...) -> r { printf("%d %d\n", _entry(b + 1), r); }
_probe both { printf("second of words: %d\n", _arg(1)); }
_probe `bot*`(...) { printf("e %d\n", e); }
//> both
//> 2 3
//> second of words: 2
//> e 4
//> 2 3 -> 100
//> 3 100
//> both
//> 7 23
//> second of words: 7
//> e 25
//> 7 23 -> 200
//> 8 200
//> both
//> 32 33
//> second of words: 32
//> e 55
//> 32 33 -> 300
//> 33 300
//> both
//> -1 43
//> second of words: -1
//> e 44
