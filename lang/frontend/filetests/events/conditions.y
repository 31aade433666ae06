// test run
//: void f(int n);
//! hit f rdi=1
_option _Bool detailed;
_probe f(int n) _if (detailed) { printf("detailed %d\n", n); }
_probe f(int n) _if (!detailed) { printf("plain %d\n", n); }
//> plain 1
