// test capture
//! string 64
//: struct node { struct node *next; struct node *pair[2]; long v; int k; char *name; unsigned f : 3; };
//: void f(struct node *a, long n, char *s);
long total;
long count[long];
void check(struct node *a, long n) { if (a->k != 3) _next(); if (n == 7) _next(); }
struct node *side(struct node *p, long n) { return n > 0 ? p->pair[0] : p->pair[1]; }
// A choice by a condition that is known.
_probe f(struct node *a, long n, char *s) { struct node *p = n > 3 ? a : a->next; printf("%ld %ld\n", p->v, side(p, n)->v); }
// One of two by a condition that is not.
_probe f(struct node *a, long n, char *s) { struct node *p = a; if (n in count) p = a->next; printf("%ld\n", p->v); }
// A copy of a struct.
_probe f(struct node *a, long n, char *s) { struct node copy = *a; printf("%ld %u %ld\n", copy.v, copy.f, copy.pair[1]->v); }
// Sampling.
_probe f(struct node *a, long n, char *s) {
    if (n < 16) return;
    long w = _every(65536, n);
    if (!w) return;
    count[_tid()] += w;
    printf("%V\n", _ubt());
}
// Sampling that not all come to is not the kernel's.
_probe f(struct node *a, long n, char *s) { if (a->v) { if (_every(65536, n)) total++; } }
// Sampling after which something is done in any case.
_probe f(struct node *a, long n, char *s) { long w = _every(65536, n); total++; if (!w) return; total += w; }
// What is done before a condition keeps the hit.
_probe f(struct node *a, long n, char *s) { total++; if (n < 16) return; total += n; }
// What may fault keeps it, too.
_probe f(struct node *a, long n, char *s) { long x = 100 / n; if (n < 16) return; total += x; }
// A condition that the kernel does not know ends the filter.
_probe f(struct node *a, long n, char *s) { if (n < 16) return; if (n in count) return; if (n > 4096) return; total++; }
// Every way out in a function.
_probe f(struct node *a, long n, char *s) { check(a, n); total++; }
_probe f(struct node *a, long n, char *s) { switch (n) { case 1: case 2: return; case 3: total++; break; default: return; } }
//> c0 = 8 bytes at register 5
//> c1 = 24 bytes (0+8 8+8 16+8) at (((register 4 <= signed 3) ? c0[0]:u64 : register 5) + 8)
//> c2 = 8 bytes at (((register 4 <= signed 0) ? c1[8]:u64 : c1[0]:u64) + 24)
//> registers 4 5
//>
//> c0 = 32 bytes (0+8 24+8) at register 5
//> c1 = 8 bytes at (c0[0]:u64 + 24)
//> registers 4 5
//>
//> c0 = 56 bytes at register 5
//> c1 = 8 bytes at (c0[16]:u64 + 24)
//> registers 5
//>
//> drop if (register 4 < signed 16)
//> sample register 4 every 0x10000
//> may insert tid in the table at 8
//> stack
//> registers 4
//>
//> c0 = 8 bytes at (register 5 + 24)
//> drop if (c0[0]:u64 == 0) with c0
//> registers 4 5
//>
//> registers 4
//>
//> registers 4
//> not counted: a handler of an event sets it
//>
//> registers 4
//>
//> drop if (register 4 < signed 16)
//> drop if (register 4 > signed 4096) and no register 4 in the table at 8
//> registers 4
//>
//> c0 = 4 bytes at (register 5 + 32)
//> drop if (c0[0]:i32 != 3) with c0
//> drop if (register 4 == 7) with c0
//> registers 4 5
//> not counted: a handler of an event sets it
//>
//> drop if (register 4 == 1)
//> drop if (register 4 == 2)
//> drop if (register 4 != 3)
//> registers 4
//> not counted: a handler of an event sets it
