// test run
//: struct bits { unsigned a : 3; int b : 7; unsigned long c : 40; };
//: struct packed { int flags : 4; float x; };
//: void f(struct bits b, struct packed p);
//! hit f rdi=0xabcdef00000003fd rsi=0x3f8000000000000f
_probe f(struct bits b, struct packed p) { printf("%d %d %d %d %g\n", b.a, b.b, b.c, p.flags, p.x); }
//> 5 -1 531502202880 -1 1
