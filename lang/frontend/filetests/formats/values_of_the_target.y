// test run
//: enum kind { NONE, ONE = 1, TWO = 2 };
//: struct node { enum kind kind; struct node *next; char name[4]; union { int i; float f; } u; unsigned bits : 3; };
//: struct node first;
//! memory 0x10000 u32 3 0 u64 0x10000 "ab\0\0" u32 5 u8 6 0 0 0 0 0 0 0
_probe _oneshot {
    printf("%V\n", first);
    printf("%V %V %V\n", first.kind, first.name, first.next);
}
//> {kind = ONE | TWO, next = 0x10000, name = "ab", u = {i = 5, f = 7e-45}, bits = 6}
//> ONE | TWO "ab" 0x10000
