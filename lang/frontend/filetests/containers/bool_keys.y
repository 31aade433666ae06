// test run
_probe _oneshot {
    long t[_Bool];
    t[5]++; t[1]++; t[0]++;
    printf("%V\n", t);
}
//> {[true] = 2, [false] = 1}
