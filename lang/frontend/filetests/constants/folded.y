// test run
_probe _oneshot {
    printf("%d %d %d %d\n", 3 * 4 + 1, 7 / 2, -7 / 2, -7 % 3);
}
//> 13 3 -3 -1
