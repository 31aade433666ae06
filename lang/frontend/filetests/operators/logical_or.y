// test run
_probe _oneshot {
    int v0 = 0; int v1 = 5;
    printf("%d\n", v0 || v1);
    printf("%d\n", 0 || 5);
    printf("%ld\n", (long) ((long) v0 || (long) v1));
}
//> 1
//> 1
//> 1
