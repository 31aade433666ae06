// test run
_probe _oneshot {
    _assert_equal("exact", 5, 5);
    _assert_equal("near", 5, 6, 2);
    _assert_equal("no tolerance", 5, 6, -2);
}
//> check exact: 5 5
//> check near (± 2): 5 6
//> check no tolerance: 5 6
