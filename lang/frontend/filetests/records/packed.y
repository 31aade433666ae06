// test run
_probe _oneshot {
    struct __attribute__((packed)) a { char c; int i; short s; }; struct b { char c; long l; } __attribute__((__packed__)); typedef struct { char c; double d; } __attribute__((packed)) t;
    printf("%zu %zu %zu %zu\n", sizeof(struct a), sizeof(struct b), sizeof(t), offsetof(struct a, s));
    struct a v = { 1, -2, 3 };
    printf("%V\n", v);
}
//> 7 9 9 5
//> {c = '\001', i = -2, s = 3}
