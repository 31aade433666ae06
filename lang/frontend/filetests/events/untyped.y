// test run
// Without debug information the declared types say where things are.
//: void bare(void);
//! stripped bare
//! memory 0x5000 "text\0"
//! hit bare rdi=0xffffffff00000005 rsi=0x5000 xmm0=2.5
//! return bare rax=-1
_probe bare(int n, char *s, double d) { printf("%d %s %g\n", n, s, d); }
_probe bare(int n) -> int r { printf("%d %d\n", n, r); }
_probe bare(double d) { printf("%g\n", d); }
//> 5 text 2.5
//> 2.5
//> 5 -1
