// test run
// Structs of up to sixteen bytes by value, in registers.
//: struct one { char c; };
//: struct three { char c[3]; };
//: struct ints { int a, b, c; };
//: struct mixed { float x; int n; };
//: struct floats { float x, y, z; };
//: struct nested { struct { short s; } in[2]; char *p; };
//: union number { long l; double d; };
//: struct empty {};
//: void f1(struct one a, struct three b, struct ints c);
//: void f2(struct mixed a, struct floats b, double c);
//: void f3(struct nested a, union number b, struct empty e, int last);
//! memory 0x5000 "deep\0"
//! hit f1 rdi=0xffffff41 rsi=0xff434241 rdx=0x200000001 rcx=0xffffffff00000003
//! hit f2 rdi=0x73f000000 xmm0=0x400000003f800000 xmm1=0xaaaaaaaa40400000 xmm2=8.5
//! hit f3 rdi=0xffff0000fffe0007 rsi=0x5000 rdx=-9 rcx=5
_probe f1(struct one a, struct three b, struct ints c) {
    printf("%c %c%c%c %d %d %d\n", a.c, b.c[0], b.c[1], b.c[2], c.a, c.b, c.c);
}
_probe f2(struct mixed a, struct floats b, double c) {
    printf("%g %d  %g %g %g  %g\n", a.x, a.n, b.x, b.y, b.z, c);
}
_probe f3(struct nested a, union number b, struct empty e, int last) {
    printf("%d %s %d %d\n", a.in[1].s, a.p, b.l, last);
}
//> A ABC 1 2 3
//> 0.5 7  1 2 3  8.5
//> -2 deep -9 5
