// test run
//: int counter;
//: int *where;
//: void handler(int n);
//: void (*callback)(int n);
//! memory 0x11000 u64 0x10000
//! memory 0x12000 u64 0x400000
_probe _oneshot {
    int *none = NULL;
    printf("%V %V %V\n", where, callback, none);
}
//> 0x10000 0x400000 <main> 0x0
