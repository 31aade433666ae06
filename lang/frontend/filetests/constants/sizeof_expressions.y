// test run
_probe _oneshot {
    int a[5]; struct { char c; long l; } s;
    printf("%zu %zu %zu %zu\n", sizeof a, sizeof s, sizeof(1 + 1L), sizeof "abc");
}
//> 20 16 8 4
