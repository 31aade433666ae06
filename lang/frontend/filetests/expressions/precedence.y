// test run
_probe _oneshot {
    printf("%d %d %d\n", 2 + 3 * 4, (2 + 3) * 4, 20 / 2 / 5);
    printf("%d %d %d\n", 1 << 2 + 1, 7 & 3 == 3, 1 | 6 ^ 2 & 3);
    printf("%d %d\n", -7 / 2, -7 % 2);
}
//> 14 20 2
//> 8 1 5
//> -3 -1
