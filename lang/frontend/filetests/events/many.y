// test run
// More than six integers, more than eight floats: the rest is on the stack, in order.
//: void ints(int a, int b, int c, int d, int e, int f, int g, char h, long i);
//: void floats(double a, double b, double c, double d, double e, double f, double g, double h, double i, float j);
//: void both(double a, int b, double c, int d);
//! memory 0x7000 u64 0x401234 0xffffffff00000007 0xffffff08 9
//! hit ints rdi=1 rsi=2 rdx=3 rcx=4 r8=5 r9=6 rsp=0x7000
//! memory 0x8000 u64 0x401234 f64 9.5 f32 10.5
//! hit floats xmm0=1.5 xmm1=2.5 xmm2=3.5 xmm3=4.5 xmm4=5.5 xmm5=6.5 xmm6=7.5 xmm7=8.5 rsp=0x8000
//! hit both xmm0=1.5 rdi=2 xmm1=3.5 rsi=4
_probe ints(int a, int b, int c, int d, int e, int f, int g, char h, long i) {
    printf("%d %d %d %d %d %d %d %d %d\n", a, b, c, d, e, f, g, h, i);
}
_probe floats(double a, double b, double c, double d, double e, double f, double g, double h, double i, float j) {
    printf("%g %g %g %g %g %g %g %g %g %g\n", a, b, c, d, e, f, g, h, i, j);
}
_probe both(double a, int b, double c, int d) { printf("%g %d %g %d\n", a, b, c, d); }
//> 1 2 3 4 5 6 7 8 9
//> 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 10.5
//> 1.5 2 3.5 4
