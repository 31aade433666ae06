// test run
_probe _oneshot {
    printf("%p %p\n", NULL, (void *) 0x1234);
}
//> 0x0 0x1234
