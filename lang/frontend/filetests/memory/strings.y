// test run
//! memory 0x1000 "hello\0"
//! memory 0x1100 "help\0"
_probe _oneshot {
    printf("%s|%s\n", _tostr((char *) 0x1000), _tostr((char *) 0x1000, 3));
    printf("%d %d\n", strcmp((char *) 0x1000, (char *) 0x1100), strncmp((char *) 0x1000, (char *) 0x1100, 3));
    printf("%ld\n", strlen((char *) 0x1000));
    printf("%d %d\n", _readable((char *) 0x1000, 5), _readable((char *) 0x5000, 5));
}
//> hello|hel
//> -1 0
//> 5
//> 1 0
