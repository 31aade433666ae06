// test run
_probe _oneshot {
    for (int i = 0, j = 10; i < j; i += 3, j--) printf("%d %d\n", i, j);
}
//> 0 10
//> 3 9
//> 6 8
