// test run
//: struct wide { long double x; int n; };
//: struct wide wide;
//! memory 0x10000 u64 0xd000000000000000 u64 0x4000 u32 7
_probe _oneshot { printf("%V\n", wide); }
//> {x = 3.25, n = 7}
