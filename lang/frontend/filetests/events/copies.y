// test run
// A copy of a function that the compiler has made for some callers has its parameters where it likes.
//: long copied(long left_out, int moved, short always, double vector, long stacked);
//! copied copied - rdi -7 xmm3 sp+16
//! memory 0x7000 u64 0x401234 0 55
//! hit copied rdi=0xffffffff00000009 rsi=2 rdx=3 rsp=0x7000
//! return copied rdi=0 rax=5
_probe copied(...) { printf("%d %d %d\n", moved, always, stacked); }
_probe copied(long a, int b, short c) -> long r { printf("%d %d %d\n", b, c, r); }
_probe copied(...) -> r { printf("%d %d\n", _entry(moved + 1), r); }
//> 9 -7 55
//> 9 -7 5
//> 10 5
