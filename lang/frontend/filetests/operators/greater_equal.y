// test run
_probe _oneshot {
    int v0 = 3; int v1 = 4;
    printf("%d\n", v0 >= v1);
    printf("%d\n", 3 >= 4);
    printf("%ld\n", (long) ((long) v0 >= (long) v1));
}
//> 0
//> 0
//> 0
