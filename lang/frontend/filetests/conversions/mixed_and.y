// test run
_probe _oneshot {
    char c = -3; unsigned char uc = 250; short s = -300; unsigned short us = 65000;
    int i = -70000; unsigned u = 4000000000u; long l = -5000000000; unsigned long ul = 18000000000000000000ul;
    printf("%d\n", c & uc);
    printf("%d\n", s & us);
    printf("%u\n", i & u);
    printf("%ld\n", (long) (l & u));
    printf("%lu\n", (unsigned long) (l & ul));
    printf("%ld\n", (long) (c & l));
}
//> 248
//> 64704
//> 3999934464
//> 3295283200
//> 17999999995705032704
//> -5000000000
