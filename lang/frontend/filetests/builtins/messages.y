// test run
_probe _oneshot {
    _warn("careful");
    _warn("%d of %d", 1, 2);
    _assert_equal("sum", 3, 4);
}
//> warning: careful
//> warning: 1 of 2
//> check sum: 3 4
