// test run
// What is larger than sixteen bytes lies on the stack; integers go on in registers.
//: struct large { long a; char *s; int n[3]; };
//: void f(int x, struct large l, int y, double d);
//! memory 0x7000 u64 0x401234 11 0x5000 u32 1 2 3
//! memory 0x5000 "inside\0"
//! hit f rdi=1 rsi=2 xmm0=0.25 rsp=0x7000
_probe f(int x, struct large l, int y, double d) {
    printf("%d %d %s %d %d %g\n", x, l.a, l.s, l.n[2], y, d);
}
_probe f(int x, struct large l) { printf("%d\n", l.n[1]); }
_probe f(...) { printf("%V\n", l); }
//> 1 11 inside 3 2 0.25
//> 2
//> {a = 11, s = 0x5000 "inside", n = {1, 2, 3}}
