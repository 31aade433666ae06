// test run
_probe _oneshot {
    typedef unsigned char u8; typedef u8 block[16]; typedef struct { u8 a; block b; } rec;
    rec r;
    r.b[15] = 255;
    printf("%zu %d\n", sizeof(rec), r.b[15]);
}
//> 17 255
