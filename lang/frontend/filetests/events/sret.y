// test run
// A result in memory: the caller's address comes first and shifts the arguments; it is the result's address at the return.
//: struct large { long a, b, c; };
//: struct large make(int x, char *s);
//! memory 0x5000 "name\0"
//! hit make rdi=0x6000 rsi=4 rdx=0x5000 rsp=0x7000
//! memory 0x6000 u64 1 2 3
//! return make rax=0x6000
_probe make(int x, char *s) { printf("make(%d, %s) %d\n", x, s, _arg(0)); }
_probe make(int x) -> struct large l { printf("%d: %d %d %d, %d\n", x, l.a, l.b, l.c, _arg(1)); }
_probe make(...) -> l { printf("%V\n", l); }
//> make(4, name) 4
//> 4: 1 2 3, 20480
//> {a = 1, b = 2, c = 3}
