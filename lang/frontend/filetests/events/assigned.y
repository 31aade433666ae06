// test run
// As in C, a parameter is a variable.
//: void f(int n, char *s);
//! memory 0x5000 "abc\0"
//! hit f rdi=3 rsi=0x5000
_probe f(int n, char *s) { while (n-- > 0) printf("%c", *s++); { int n = 7; printf(" %d", n); } printf(" %d\n", n); }
//> abc 7 -1
