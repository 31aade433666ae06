// test capture
//! string 64
//: typedef unsigned long size_t;
//: typedef struct { size_t len; unsigned char *data; } str_t;
//: struct req { str_t uri; unsigned char small; unsigned short *counts; };
//: void f(struct req *r, long n, char *p);
_str text(str_t *s) { return _tostr(s->data, s->len); }
_str part(str_t s, size_t limit) { return _tostr(s.data, s.len < limit ? s.len : limit) + (s.len > limit ? "…" : ""); }
_probe f(struct req *r, long n, char *p) { puts(text(&r->uri) + part(r->uri, 20)); }
_probe f(struct req *r, long n, char *p) { puts(_tostr(p, n) + _tostr(p, n + r->small) + _tostr(p, r->small) + _tostr(p, n & 31)); }
_probe f(struct req *r, long n, char *p) { size_t k = r->uri.len; if (k > 40) k = 40; puts(_tostr(p, k) + _hex(p, k / 8)); }
_probe f(struct req *r, long n, char *p) { if (n > 40) n = 40; puts(_tostr(p, n)); }
_probe f(struct req *r, long n, char *p) { printf("%.*s %.*s\n", r->small & 15, p, (int) n, p); }
_probe f(struct req *r, long n, char *p) { printf("%d %d\n", memcmp(r->uri.data, p, r->uri.len), memcmp(p, "GET", r->counts[1] % 4)); }
_probe f(struct req *r, long n, char *p) { puts(_tostr(p, n % 1) + _tostr(p, r->uri.len % 1)); }
_probe f(struct req *r, long n, char *p) { puts(_tostr(p, n / r->small)); }
//> c0 = 16 bytes (0+8 0+16 8+8) at register 5
//> c1 = c0[0]:u64 bytes, at most 64 at c0[8]:u64
//> c2 = ((c0[0]:u64 >= 20) ? 20 : c0[0]:u64) bytes, at most 20 at c0[8]:u64
//> registers 5
//>
//> c0 = register 4 bytes, at most 64 at register 1
//> c1 = 1 bytes at (register 5 + 16)
//> c2 = (register 4 + c1[0]:u8) bytes, at most 64 at register 1
//> c3 = c1[0]:u8 bytes, at most 64 at register 1
//> c4 = (register 4 & 31) bytes, at most 31 at register 1
//> registers 1 4 5
//>
//> c0 = 8 bytes at register 5
//> c1 = ((c0[0]:u64 <= 40) ? c0[0]:u64 : 40) bytes, at most 40 at register 1
//> c2 = (((c0[0]:u64 <= 40) ? c0[0]:u64 : 40) / 8) bytes, at most 5 at register 1
//> registers 1 5
//>
//> c0 = ((register 4 <= signed 40) ? register 4 : 40) bytes, at most 64 at register 1
//> registers 1 4
//>
//> c0 = 1 bytes at (register 5 + 16)
//> c1 = (((c0[0]:u8 & i32 15) < signed 0) ? 65 : ((c0[0]:u8 & i32 15) + 1)) bytes, at most 16 at register 1
//> c2 = ((i32(register 4) < signed 0) ? 65 : (i32(register 4) + 1)) bytes, at most 65 at register 1
//> registers 1 4 5
//>
//> c0 = 32 bytes (0+8 8+8 24+8) at register 5
//> c1 = c0[0]:u64 bytes, at most 64 at c0[8]:u64
//> c2 = c0[0]:u64 bytes, at most 64 at register 1
//> c3 = 2 bytes at (c0[24]:u64 + 2)
//> c4 = (c3[0]:u16 % i32 4) bytes, at most 64 at register 1
//> registers 1 5
//>
//> c0 = (register 4 % i64 1) bytes, at most 64 at register 1
//> c1 = 8 bytes at register 5
//> c2 = 0 bytes, at most 0 at register 1
//> registers 1 4 5
//>
//> c0 = 1 bytes at (register 5 + 16)
//> c1 = 64 bytes, at most 64 at register 1
//> registers 1 4 5
