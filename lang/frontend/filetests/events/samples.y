// test run
//: void *alloc(unsigned long n);
//! hit alloc rdi=100
//! hit alloc rdi=200 weight=0
//! hit alloc rdi=300 weight=4096
_option long every = 4096;
_probe alloc(unsigned long n) {
    long weight = _every(every, n);
    if (!weight) _next();
    printf("%d stands for %d\n", n, weight);
}
//> 100 stands for 100
//> 300 stands for 4096
//> event ended: next at 9:18
