// test run
_probe _oneshot {
    printf("%d\n", -1 < 1u);
    printf("%d\n", -1L < 1u);
    unsigned char u = 200;
    signed char c = (signed char) u;
    printf("%d %d\n", u + 100, c);
    printf("%d\n", (int) 3.99);
    printf("%d\n", (int) -3.99);
    printf("%lu\n", (unsigned long) (int) -1);
    printf("%lx\n", (unsigned long) (unsigned) -1);
    _Bool b = 256;
    printf("%d %d\n", b, (_Bool) 0.5);
    printf("%.1f\n", 7 / 2 + 7 / 2.0);
    float f = 16777217;
    printf("%.0f\n", f);
}
//> 0
//> 1
//> 300 -56
//> 3
//> -3
//> 18446744073709551615
//> ffffffff
//> 1 1
//> 6.5
//> 16777216
