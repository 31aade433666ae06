// test run
union u { int i; unsigned char b[4]; float f; };
_probe _oneshot {
    union u v;
    v.i = 0x01020304;
    printf("%d %d\n", v.b[0], v.b[3]);
    v.f = 1.0f;
    printf("%x\n", v.i);
}
//> 4 1
//> 3f800000
