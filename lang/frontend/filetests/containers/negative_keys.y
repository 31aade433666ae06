// test run
_probe _oneshot {
    long t[char];
    t[-1] = 1; t[255] = 2;
    printf("%V\n", t);
}
//> {['\377'] = 2}
