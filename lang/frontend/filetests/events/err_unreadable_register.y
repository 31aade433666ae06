// test run-error
// What the hit does not tell faults where it is used.
//: void f(int a, int b);
//! hit f rdi=1
_probe f(int a) { printf("%d\n", a); }
_probe f(int a, int b) { printf("%d\n", b); }
//> 1
//> event ended: not available: register 4 is not known at 6:21
