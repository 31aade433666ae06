// test run
//: struct pair { long a, b; };
//: struct mix { double d; int n; };
//: struct four { float a, b, c; };
//: char small(void);
//: _Bool yes(void);
//: float half(void);
//: double twice(double x);
//: struct pair pair(void);
//: struct mix mix(void);
//: struct four four(void);
//: char *name(void);
//: void nothing(int n);
//! memory 0x5000 "result\0"
//! hit small
//! return small rax=0xffffff80
//! hit yes
//! return yes rax=0xff01
//! hit half
//! return half xmm0=0.5f
//! hit twice xmm0=4.25
//! return twice xmm0=8.5
//! hit pair
//! return pair rax=1 rdx=2
//! hit mix
//! return mix rax=7 xmm0=1.25
//! hit four
//! return four xmm0=0x400000003f800000 xmm1=0x40400000
//! hit name
//! return name rax=0x5000
//! hit nothing rdi=6
//! return nothing rdi=0
_probe small() -> char c { printf("%d\n", c); }
_probe yes() -> _Bool y { printf("%d\n", y); }
_probe yes() -> y { printf("%d\n", y); }
_probe half() -> float h { printf("%g\n", h); }
_probe twice(double x) -> double y { printf("%g of %g\n", y, x); }
_probe pair() -> p { printf("%d %d\n", p.a, p.b); }
_probe mix() -> struct mix m { printf("%g %d\n", m.d, m.n); }
_probe four() -> f { printf("%g %g %g\n", f.a, f.b, f.c); }
_probe name() -> n { printf("%s\n", n); }
_probe nothing(int n) -> _void { printf("nothing(%d)\n", n); }
//> -128
//> 1
//> 1
//> 0.5
//> 8.5 of 4.25
//> 1 2
//> 1.25 7
//> 1 2 3
//> result
//> nothing(6)
