// test run-error
//: void f(int *p);
//! memory 0x5000 u32 4
//! hit f rdi=0
//! hit f rdi=0x5000
_probe f(int *p) { printf("%d\n", *p); }
//> 4
//> event ended: unmapped: address 0x0 is not mapped at 6:35
