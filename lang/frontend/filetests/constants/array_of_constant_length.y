// test run
_probe _oneshot {
    enum { N = 3 };
    int a[N * 2];
    printf("%zu\n", sizeof a / sizeof a[0]);
}
//> 6
