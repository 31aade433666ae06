// test run
struct place { _str owner; _str state; };
_view heapmap "Heap" "bytes" struct place what[void *, size_t];
_probe _oneshot {
    struct place place = { .owner = "pool", .state = "in use" };
    what[(void *)0x1000, 16] = place;
    printf("%s %s\n", what[(void *)0x1000, 16].state, what[(void *)0x1000, 16].owner);
}
//> in use pool
