// test run
//: struct pair { int a, b; };
_probe _oneshot {
    struct s { signed char c; int b : 3; };
    int i = 2147483647; unsigned u = 0; signed char c = 127; float f = 0.5f; struct s v; long t[_str]; struct pair *p = (struct pair *) 0x1000;
    v.c = -128; v.b = 3;
    i--; u--; c--; f--; v.c--; v.b--; t["x"]--; p--;
    printf("%d %u %d %g %d %d %ld %p\n", i, u, c, f, v.c, v.b, t["x"], p);
    printf("%d %d %d %d\n", i--, --i, c--, --c);
}
//> 2147483646 4294967295 126 -0.5 127 2 -1 0xff8
//> 2147483646 2147483644 126 124
