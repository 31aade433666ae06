// test run
//: struct link { struct link *next; };
//: struct item { int value; struct link link; };
//: struct link *head;
//! memory 0x10000 u64 0x2008
//! memory 0x2000 u32 42 0 u64 0
_probe _oneshot {
    struct item *it = _container_of(head, struct item, link);
    printf("%d %p\n", it->value, it);
}
//> 42 0x2000
