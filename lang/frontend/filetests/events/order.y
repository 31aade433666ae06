// test run
// Probes on one place run in the order of the text; `_begin` before, `_end` after; `_exit` ends it all.
//: void f(int n);
//! hit f rdi=1
//! hit f rdi=2
//! hit f rdi=3
_probe _end { printf("end\n"); }
_probe f(int n) { printf("first %d\n", n); if (n == 2) _exit(); }
_probe f(int n) { if (n == 1) _next(); printf("second %d\n", n); }
_probe _begin { printf("begin\n"); }
//> begin
//> first 1
//> first 2
//> end
//> event ended: next at 9:31
//> event ended: exit at 8:56
