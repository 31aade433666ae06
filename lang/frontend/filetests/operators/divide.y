// test run
_probe _oneshot {
    int v0 = 7; int v1 = 2;
    printf("%d\n", -v0 / v1);
    printf("%d\n", -7 / 2);
    printf("%ld\n", (long) (-(long) v0 / (long) v1));
}
//> -3
//> -3
//> -3
