// test run
_probe _oneshot {
    printf("%x %x %x\n", 0xf0 & 0x3c, 0xf0 | 0x0f, 0xff ^ 0x0f);
    printf("%d\n", ~5);
    unsigned m = 1;
    m |= 4;
    m &= ~1;
    m ^= 3;
    printf("%u\n", m);
}
//> 30 ff f0
//> -6
//> 7
