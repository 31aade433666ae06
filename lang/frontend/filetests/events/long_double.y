// test run
// x87 numbers are on the stack, at a multiple of sixteen; what comes after is found all the same.
//: struct boxed { long double x; };
//: void f(int a, long double x, int b, struct boxed s, long c, long d, long e, long g, long h);
//! memory 0x7000 u64 0x401234 u64 1 2  3 4  77
//! hit f rdi=1 rsi=2 rdx=3 rcx=4 r8=5 r9=6 rsp=0x7000
_probe f(int a, long double x, int b, struct boxed s, long c, long d, long e, long g, long h) {
    printf("%d %d %d %d\n", a, b, g, h);
}
//> 1 2 6 77
