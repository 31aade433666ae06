// test run
_probe _oneshot {
    int *p = (int *) 0x1000;
    printf("%p %p\n", p + 3, p - 1);
    int *q = p + 10;
    printf("%ld\n", q - p);
    printf("%d %d\n", p < q, p == q);
    p += 2;
    p++;
    printf("%p\n", p);
    p -= 1;
    printf("%p\n", p--);
    printf("%p\n", p);
    printf("%d\n", p ? 1 : 0);
    p = NULL;
    printf("%d\n", !p);
}
//> 0x100c 0xffc
//> 10
//> 1 0
//> 0x100c
//> 0x1008
//> 0x1004
//> 1
//> 1
