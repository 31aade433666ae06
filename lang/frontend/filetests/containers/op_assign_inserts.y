// test run
_probe _oneshot {
    long t[int];
    t[1] |= 4; t[2]++; t[3] -= 1;
    long read = t[9];
    printf("%V\n", t);
}
//> {[1] = 4, [2] = 1, [3] = -1}
