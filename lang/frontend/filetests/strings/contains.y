// test run
_probe _oneshot {
    printf("%d %d %d\n", _contains("abc", ""), _contains("abc", "bc"), _contains("", "a"));
}
//> 1 1 0
