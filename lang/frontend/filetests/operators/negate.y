// test run
_probe _oneshot {
    int v0 = 3;
    printf("%d\n", -(v0));
    printf("%d\n", -(3));
    printf("%ld\n", (long) (-((long) v0)));
}
//> -3
//> -3
//> -3
