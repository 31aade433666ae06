// test run
// How many elements there are is not known: the address is shown, as gdb does.
//: struct text { int length; char bytes[]; };
//: struct list { int length; int items[]; };
//: struct text *text;
//: struct list *list;
//! memory 0x10000 u64 0x3000
//! memory 0x11000 u64 0x4000
//! memory 0x3000 u32 3 "abc\0"
//! memory 0x4000 u32 2 7 8
_probe _oneshot {
    printf("%V\n", *text);
    printf("%V\n", *list);
}
//> {length = 3, bytes = 0x3004}
//> {length = 2, items = 0x4004}
