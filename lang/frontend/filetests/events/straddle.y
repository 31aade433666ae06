// test run
// A struct of two words does not get one register and one word of the stack; what follows still gets the register.
//: struct two { long a, b; };
//: void f(long a, long b, long c, long d, long e, struct two t, long g);
//! memory 0x7000 u64 0x401234 21 22
//! hit f rdi=1 rsi=2 rdx=3 rcx=4 r8=5 r9=7 rsp=0x7000
_probe f(long a, long b, long c, long d, long e, struct two t, long g) {
    printf("%d %d %d %d\n", e, t.a, t.b, g);
}
//> 5 21 22 7
