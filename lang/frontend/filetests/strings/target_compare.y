// test run
//! memory 0x1000 "abc\0abd\0"
_probe _oneshot {
    char *p = (char *) 0x1000, *q = (char *) 0x1004;
    printf("%d %d %d %d %lu\n", strcmp(p, q) < 0, strncmp(p, q, 2), memcmp(p, "abc", 3), strcmp(q, "abd"), strlen(p));
}
//> 1 0 0 0 3
