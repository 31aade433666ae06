// test run
long held[_path];
_probe _oneshot {
    _path p;
    held[p / "a"] = 40;
    _assert_equal("total", _sum(held), 42);
    _warn("odd");
}
//> warning: odd
//> check total: 40 42
