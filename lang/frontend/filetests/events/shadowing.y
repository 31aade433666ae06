// test run
// Globals of the script and of the target give way to parameters, as in C.
//: int n;
//: void f(int n, int total);
//! memory 0x10000 u32 77
//! hit f rdi=5 rsi=6
//! return f rax=0
long total = 9;
_probe f(int n) { printf("%d %d\n", n, total); }
_probe f(...) -> _void { printf("%d %d %d\n", n, total, _entry(n + total)); }
_probe f { printf("%d %d\n", n, total); }
//> warning 10:8: `total` is a parameter here, and not the variable of this file [`(...)` names all parameters as the debug information does] (help: rename the variable, or write the parameters that are wanted)
//> 5 9
//> 77 9
//> 5 6 11
