// test capture
//: struct conn { int fd; unsigned short port; long bytes; struct conn *next; char *name; char tag[8]; };
//: struct conn *head;
long total;
_probe _oneshot {
    struct conn *c = (struct conn *) _reg("rdi");
    printf("%d %u %ld\n", c->fd, c->port, c->next->next->bytes);
    total += c->bytes;
}
_probe _oneshot {
    printf("%ld %d\n", head->bytes, head->fd);
}
//> c0 = 24 bytes (0+4 4+2 8+8 16+8) at register 5
//> c1 = 8 bytes at (c0[16]:u64 + 16)
//> c2 = 8 bytes at (c1[0]:u64 + 8)
//> registers 5
//>
//> c0 = 8 bytes at 0x10000
//> c1 = 16 bytes (0+4 8+8) at c0[0]:u64
