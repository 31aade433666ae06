// test run
// Floats, structs and small integers as of entry.
//: struct pair { int n; double d; };
//: float f(float a, double b, struct pair p, signed char c, _Bool d, unsigned short *e);
//! memory 0x5000 u16 65000
//! hit f xmm0=1.5f xmm1=-2.25 rdi=0xffffffff00000007 xmm2=8.5 rsi=0xff80 rdx=0x100 rcx=0x5000
//! memory 0x5000 u16 1
//! return f xmm0=0.5f
_probe f(...) -> r {
    printf("%g %g %d %g %d %d %d\n", a, b, p.n, p.d, c, d, *e);
    printf("%g %g %g %d %d %d\n", _entry(a), _entry(a + b), _entry(p.d), _entry(p.n), _entry(c), _entry(*e));
    printf("%d %d %g\n", _entry(e) == e, sizeof(_entry(c)), r);
}
//> 1.5 -2.25 7 8.5 -128 0 1
//> 1.5 -0.75 8.5 7 -128 65000
//> 1 1 0.5
