// test run
_probe _oneshot {
    printf("%d %d %d %d\n", _isprefix("abc", "abc"), _isprefix("abc", "abcd"), _issuffix("abc", "c"), _issuffix("abc", ""));
}
//> 1 0 1 1
