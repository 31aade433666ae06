// test run
// `_reg` gives general registers, and the low halves of vector registers.
//: void f(double d);
//! hit f xmm0=1.5 xmm15=2.5 eflags=0x246 rsp=0x7000
_probe f { printf("%#x %#x %#x\n", _reg("xmm0"), _reg("xmm15"), _reg("eflags")); }
//> 0x3ff8000000000000 0x4004000000000000 0x246
