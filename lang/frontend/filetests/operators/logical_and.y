// test run
_probe _oneshot {
    int v0 = 2; int v1 = 0;
    printf("%d\n", v0 && v1);
    printf("%d\n", 2 && 0);
    printf("%ld\n", (long) ((long) v0 && (long) v1));
}
//> 0
//> 0
//> 0
