// test run
_probe _oneshot {
    struct s { char c; int b : 5; unsigned short h; };
    int i = 29; char c = 100; struct s v; long t[int]; long a[]; int f[2];
    v.c = 90; v.b = 11; v.h = 65000; t[3] = 29; _push(a, 29); f[1] = 29;
    i *= 3; c *= 3; v.c *= 3; v.b *= 3; v.h *= 3; t[3] *= 3; a[0] *= 3; f[1] *= 3;
    printf("%d %d %d %d %d %ld %ld %d\n", i, c, v.c, v.b, v.h, t[3], a[0], f[1]);
    printf("%d\n", (i *= 2));
}
//> 87 44 14 1 63928 87 87 87
//> 174
