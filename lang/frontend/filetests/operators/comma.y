// test run
_probe _oneshot {
    int v0 = 1; int v1 = 2;
    printf("%d\n", (v0, v1));
    printf("%d\n", (1, 2));
    printf("%ld\n", (long) (((long) v0, (long) v1)));
}
//> 2
//> 2
//> 2
