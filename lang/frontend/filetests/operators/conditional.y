// test run
_probe _oneshot {
    int v0 = 0; int v1 = 1; int v2 = 2;
    printf("%d\n", v0 ? v1 : v2);
    printf("%d\n", 0 ? 1 : 2);
    printf("%ld\n", (long) ((long) v0 ? (long) v1 : (long) v2));
}
//> 2
//> 2
//> 2
