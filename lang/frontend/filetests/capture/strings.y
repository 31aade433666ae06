// test capture
//! string 64
//: typedef struct { size_t len; unsigned char *data; } str_t;
//: struct req { str_t uri; char *host; };
_probe _oneshot {
    struct req *r = (struct req *) _reg("rdi");
    printf("%s %.*s %.10s\n", r->host, (int) r->uri.len, r->uri.data, r->host);
    printf("%s\n", _tostr(r->uri.data, r->uri.len));
}
_probe _oneshot {
    struct req *r = (struct req *) _reg("rdi");
    printf("%V\n", *r);
}
_probe _oneshot {
    char *p = (char *) _reg("rdi"); char *q = (char *) _reg("rsi");
    if (strcmp(p, q) == 0 || strncmp(p, q, 5) == 0 || memcmp(p, q, 12) == 0 || strlen(p) > 4) printf("%d\n", _readable(p, 100));
    printf("%s\n", _hex(p, 16));
}
//> c0 = 24 bytes (0+8 8+8 16+8) at register 5
//> c1 = string of at most 65 bytes at c0[16]:u64
//> c2 = ((i32(c0[0]:u64) < signed 0) ? 65 : (i32(c0[0]:u64) + 1)) bytes, at most 65 at c0[8]:u64
//> c3 = c0[0]:u64 bytes, at most 64 at c0[8]:u64
//> registers 5
//>
//> c0 = 24 bytes, at most 24 at register 5
//> c1 = 16 bytes (0+8 8+8) at (register 5 + 8)
//> c2 = string of at most 65 bytes at c1[0]:u64
//> c3 = string of at most 65 bytes at c1[8]:u64
//> registers 5
//>
//> c0 = string of at most 65 bytes at register 5
//> c1 = string of at most 65 bytes at register 4
//> c2 = 12 bytes, at most 12 at register 5
//> c3 = 12 bytes, at most 12 at register 4
//> c4 = 100 bytes, at most 100 at register 5
//> c5 = 16 bytes, at most 16 at register 5
//> registers 4 5
