// test run
_probe _oneshot {
    printf("%d %d %d %d\n", "a" < "b", "a" < "ab", "B" < "a", "x" >= "x");
}
//> 1 1 1 1
