// test run
//: struct s { int a[2]; int b; };
//: struct s value;
//! memory 0x10000 u32 1 2 3
// An array of the target has C's meaning: the element after the last one is what lies there.
_probe _oneshot {
    int i = 2;
    printf("%d %d\n", value.a[1], value.a[i]);
}
//> 2 3
