// test run
// Eight bytes that hold nothing take no register; a struct that is packed lies in memory.
//: struct holes { char c; long l; };
//: struct __attribute__((packed)) tight { char c; long l; };
//: void f(struct holes h, struct tight t, int n);
//! memory 0x7008 u8 9 u64 10
//! hit f rdi=0xaaaaaaaaaaaaaa07 rsi=8 rdx=11 rsp=0x7000
_probe f(struct holes h, struct tight t, int n) { printf("%d %d %d %d %d\n", h.c, h.l, t.c, t.l, n); }
//> 7 8 9 10 11
