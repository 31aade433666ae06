// test run
//! memory 0x1000 "hello\0"
_probe _oneshot {
    printf("%s|%.3s|%8s|%.*s\n", (char *) 0x1000, (char *) 0x1000, (char *) 0x1000, 2, (unsigned char *) 0x1000);
}
//> hello|hel|   hello|he
