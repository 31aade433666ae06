// test capture
//: struct conn { int fd; unsigned short port; long bytes; struct conn *next; char *name; };
long total;
_probe _oneshot {
    struct conn *c = (struct conn *) _reg("rdi");
    size_t n = _reg("rsi");
    if (n < 4096) return;
    if (!c || c->port != 80) return;
    total += c->bytes;
}
_probe _oneshot {
    struct conn *c = (struct conn *) _reg("rdi");
    if (!(c && c->fd > 2 && c->next->fd > 2)) return;
    total += 1;
}
_probe _oneshot {
    struct conn *c = (struct conn *) _reg("rdi");
    if (c && c->port == 443) { total++; }
    printf("%d\n", c->fd);
}
//> drop if (register 4 < 4096)
//> drop if (register 5 == 0)
//> c0 = 12 bytes (0+2 4+8) at (register 5 + 4)
//> drop if (c0[0]:u16 != 80) with c0
//> registers 4 5
//> count if (((register 4 >= 4096) & (register 5 != 0)) & (c0[0]:u16 == 80)) with c0/11: global 0 at 0:i64 += c0[4]:u64
//>
//> drop if (register 5 == 0)
//> c0 = 24 bytes (0+4 16+8) at register 5
//> drop if (c0[0]:i32 <= signed 2) with c0
//> c1 = 4 bytes at c0[16]:u64
//> drop if (c1[0]:i32 <= signed 2) with c0/11 c1
//> registers 5
//> count if (((register 5 != 0) & (c0[0]:i32 > signed 2)) & (c1[0]:i32 > signed 2)) with c0/11 c1: global 0 at 0:i64 += 1
//>
//> c0 = 6 bytes (0+4 4+2) at register 5
//> registers 5
