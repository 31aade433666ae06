// test run
_probe _oneshot {
    printf("%d %d\n", 1 << 31, -8 >> 1);
    printf("%u\n", 0x80000000u >> 31);
    printf("%ld\n", 1L << 40);
    unsigned char c = 0x81;
    printf("%d\n", c << 1);
    c <<= 1;
    printf("%d\n", c);
}
//> -2147483648 -4
//> 1
//> 1099511627776
//> 258
//> 2
