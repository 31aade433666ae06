// test run
//! memory 0x1000 u32 0x12345d5
struct bits { unsigned a : 4; int b : 4; unsigned c : 24; };
_probe _oneshot {
    struct bits *p = (struct bits *) 0x1000;
    printf("%d %d %x\n", p->a, p->b, p->c);
}
//> 5 -3 12345
