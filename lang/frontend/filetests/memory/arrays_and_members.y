// test run
//! memory 0x1000 u32 0 u16 11 12 13 u8 9 0 u16 21 22 23 u8 8 0 u32 0 u64 0x1004
struct in { short s[3]; char c; };
struct out { int pad; struct in v[2]; struct in *p; };
_probe _oneshot {
    struct out *o = (struct out *) 0x1000;
    printf("%d %d %d\n", o->v[1].s[2], o->v[0].c, o->p->s[0]);
    int i = 1;
    printf("%d\n", o->v[i].s[i + 1]);
    printf("%p %p\n", &o->v[1].s[2], &o->p->c);
}
//> 23 9 11
//> 23
//> 0x1010 0x100a
