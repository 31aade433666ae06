// test run
//: void alloc_a(long n);
//: void alloc_b(long n);
//! arguments --alloc alloc_b
//! hit alloc_a rdi=1
//! hit alloc_b rdi=2
_option _str alloc = "alloc_a";
_option _str other = "app::alloc_a";
_probe _func(alloc)(long n) { printf("%s %d\n", _func(), n); }
_probe _func("alloc_a")(long n) { printf("%s %d\n", _func(), n); }
_probe _func(other)(...) { printf("other %d\n", n); }
_probe _func("alloc_*") { printf("any %d\n", _arg(0)); }
_probe app::alloc_b(...) { printf("module %d\n", n); }
//> alloc_a 1
//> other 1
//> any 1
//> alloc_b 2
//> any 2
//> module 2
