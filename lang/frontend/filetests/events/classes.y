// test run
//: struct pair { int a; double b; };
//: void ints(signed char a, unsigned short b, int c, long d, _Bool e, char *f, int g, short h);
//: void floats(float a, int b, double c);
//: void structs(struct pair p, int n);
//! memory 0x7008 u64 0xffffffff80000001 0x12348000
//! memory 0x5000 "text\0"
//! hit ints rdi=0xffff80 rsi=0x1ffff rdx=0x1fffffffe rcx=-3 r8=0xffffff00 r9=0x5000 rsp=0x7000
//! hit floats xmm0=1.5f rdi=3 xmm1=-2.25
//! hit structs rdi=0xaaaaaaaafffffffb xmm0=0.5 rsi=9
_probe ints(signed char a, unsigned short b, int c, long d, _Bool e, char *f, int g, short h) {
    printf("%d %d %d %d %d %s %d %d\n", a, b, c, d, e, f, g, h);
}
_probe ints(...) { printf("%d %d %d %d %d %s %d %d\n", a, b, c, d, e, f, g, h); }
_probe floats(float a, int b, double c) { printf("%g %d %g\n", a, b, c); }
_probe structs(struct pair p, int n) { printf("%d %g %d %V\n", p.a, p.b, n, p); }
//> -128 65535 -2 -3 0 text -2147483647 -32768
//> -128 65535 -2 -3 0 text -2147483647 -32768
//> 1.5 3 -2.25
//> -5 0.5 9 {a = -5, b = 0.5}
