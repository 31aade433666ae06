// test run
_probe _oneshot {
    int v0 = 3; int v1 = 3;
    printf("%d\n", v0 <= v1);
    printf("%d\n", 3 <= 3);
    printf("%ld\n", (long) ((long) v0 <= (long) v1));
}
//> 1
//> 1
//> 1
