// test run
_probe _oneshot {
    int v0 = 0; int v1 = 9;
    printf("%d\n", v0 ?: v1);
    printf("%d\n", 0 ?: 9);
    printf("%ld\n", (long) ((long) v0 ?: (long) v1));
}
//> 9
//> 9
//> 9
