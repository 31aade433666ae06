// test run
_probe _oneshot {
    int i = 2147483647;
    i++;
    printf("%d\n", i);
    unsigned u = 0;
    u--;
    printf("%u\n", u);
    char c = 127;
    c += 1;
    printf("%d\n", c);
    unsigned char b = 255;
    b++;
    printf("%d\n", b);
    long l = 9223372036854775807;
    l = l + 1;
    printf("%ld\n", l);
    printf("%ld\n", l / -1);
    printf("%ld\n", l % -1);
    short s = 40000;
    printf("%d\n", s);
}
//> -2147483648
//> 4294967295
//> -128
//> 0
//> -9223372036854775808
//> -9223372036854775808
//> 0
//> -25536
