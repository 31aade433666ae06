// test run
//! arguments --size 256K..512K --up=3.. --down ..7 --only -5
//: void f(long n);
//! hit f rdi=0x3ffff
//! hit f rdi=0x40000
//! hit f rdi=0x80000
//! hit f rdi=0x80001
_option size_t size[2]; /// of these sizes only
_option int up[2];
_option unsigned short down[2];
_option signed char only[2];
_option int8_t all[2];
_option size_t any[2];
_probe f(size_t n) _if (size[0] == 1 << 18) {
    if (n < size[0] || n > size[1])
        return;
    printf("%ld\n", n);
}
_probe f(size_t n) _if (size[1] < 1 << 18) { printf("not here\n"); }
_probe _end {
    printf("%d %d, %d %d, %d %d\n", up[0], up[1], down[0], down[1], only[0], only[1]);
    printf("%d %d, %lu %lx\n", all[0], all[1], any[0], any[1]);
}
//> 262144
//> 524288
//> 3 2147483647, 0 7, -5 -5
//> -128 127, 0 ffffffffffffffff
