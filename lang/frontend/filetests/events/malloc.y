// test run
//: typedef unsigned long size_t;
//: void *malloc(size_t size);
//: void free(void *p);
//! hit malloc rdi=64 rsp=0x7000
//! return malloc rdi=1 rax=0x5000 rsp=0x7008
//! hit malloc rdi=100 rsp=0x7000 tid=7
//! hit malloc rdi=200 rsp=0x7000 tid=8
//! return malloc rax=0x6000 tid=7
//! return malloc rax=0 tid=8
//! hit free rdi=0x5000
long size_of[void *];
_probe malloc(size_t n) -> void *p {
    printf("%d: malloc(%d) = %p\n", _tid(), n, p);
    if (p) size_of[p] = n;
}
_probe free(void *p) {
    printf("free(%p) of %d\n", p, size_of[p]);
    _delete size_of[p];
}
_probe _end { _foreach (p, n in size_of) printf("left %p: %d\n", p, n); }
//> 4212: malloc(64) = 0x5000
//> 7: malloc(100) = 0x6000
//> 8: malloc(200) = 0x0
//> free(0x5000) of 64
//> left 0x6000: 100
