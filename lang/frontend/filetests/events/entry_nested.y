// test run
// Calls nest, and each return has the arguments of its own entry; threads do not mix.
//: int fact(int n);
//! hit fact rdi=3 tid=1
//! hit fact rdi=30 tid=2
//! hit fact rdi=2 tid=1
//! hit fact rdi=1 tid=1
//! return fact rax=1 tid=1
//! return fact rax=2 tid=1
//! return fact rax=300 tid=2
//! return fact rax=6 tid=1
//! return fact rax=99 tid=3
_probe fact(int n) -> int r { printf("%d: fact(%d) = %d\n", _tid(), n, r); }
//> 1: fact(1) = 1
//> 1: fact(2) = 2
//> 2: fact(30) = 300
//> 1: fact(3) = 6
