// test run
// `_arg(n)` needs no prototype: the n-th that is an integer or a pointer.
//: void bare(void);
//! stripped bare
//! memory 0x7000 u64 0x401234 107 108
//! hit bare rdi=101 rsi=102 rdx=103 rcx=104 r8=105 r9=-106 rsp=0x7000
//! return bare rdi=0 rax=5
enum { LAST = 7 };
_option int wanted = 2;
_probe bare { printf("%d %d %d %d %d\n", _arg(0), _arg(1), _arg(5), _arg(6), _arg(LAST)); }
_probe bare { printf("%d\n", _arg(wanted)); }
_probe bare() -> long r { printf("%d %d %d\n", _arg(0), _arg(6), r); }
//> 101 102 -106 107 108
//> 103
//> 101 107 5
