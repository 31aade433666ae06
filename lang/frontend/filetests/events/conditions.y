// test run
//: void f(int n);
//! hit f rdi=1
_option _Bool detailed;
_probe f(int n) _if (detailed) { printf("detailed %d\n", n); }
_probe f(int n) _if (!detailed) { printf("plain %d\n", n); }
// What an option does not name need not be there.
_option _str other = "";
_probe _func(other) -> void *p _if (other != "") { printf("other %p\n", p); }
//> plain 1
