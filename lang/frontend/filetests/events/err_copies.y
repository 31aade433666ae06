// test type-error
//: struct pair { long a, b; };
//: void copied(long left_out, struct pair in_parts, int moved, long unknown);
//! copied copied - rdi rsi
_probe copied(...) { printf("%d", left_out); }
_probe copied(long n, struct pair p, int m, long more) { printf("%d %d", p.a, more); }
_probe copied(long n) -> _void { printf("%d", _arg(0)); }
//> error 5:8: `left_out` cannot be read: the compiler has left it out [this is `long`]
//> error 6:35: `p` cannot be read: a copy of the function that the compiler made for some callers is hit, which has it in parts [this is `struct pair`]
//> error 6:50: `more` cannot be read: a copy of the function that the compiler made for some callers is hit, and nothing tells where that has it (`_arg(n)` are the registers of arguments) [this is `long`]
//> error 7:47: `_arg(0)` cannot be read: the compiler has left it out
