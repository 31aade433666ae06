// test run
_probe _oneshot {
    long t[char *];
    t[(char *) 0x10]++; t[(char *) 0x10]++; t[NULL]++;
    printf("%V\n", t);
}
//> {[0x10] = 2, [0x0] = 1}
