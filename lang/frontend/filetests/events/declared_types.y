// test run
// Types of the same size and class do: `void *` for a pointer to anything, a type of the script for one of the target.
//: struct pool { int n; };
//: enum level { LOW, HIGH = 5 };
//: struct point { int x, y; };
//: void f(struct pool *p, unsigned long n, enum level l, struct point at, double d);
//! memory 0x5000 u32 42
//! hit f rdi=0x5000 rsi=-1 rdx=5 rcx=0x200000001 xmm0=1.5
struct spot { int left, top; };
_probe f(void *p, long n, int l, struct spot at) { printf("%d %d %d %d,%d\n", *(int *)p, n, l, at.left, at.top); }
_probe f(struct pool *, unsigned long, enum level l) { printf("%d\n", l); }
_probe f(struct pool *p, unsigned long n, unsigned l, long at, double d) { printf("%#x %g\n", at, d); }
//> 42 -1 5 1,2
//> 5
//> 0x200000001 1.5
