// test run
_probe _oneshot {
    int v0 = 5;
    printf("%d\n", !v0);
    printf("%d\n", !5);
    printf("%ld\n", (long) (!(long) v0));
}
//> 0
//> 0
//> 0
