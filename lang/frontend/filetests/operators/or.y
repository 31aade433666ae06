// test run
_probe _oneshot {
    int v0 = 12; int v1 = 10;
    printf("%d\n", v0 | v1);
    printf("%d\n", 12 | 10);
    printf("%ld\n", (long) ((long) v0 | (long) v1));
}
//> 14
//> 14
//> 14
