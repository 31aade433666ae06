// test run
_probe _oneshot {
    printf("%d %d\n", _sym_ubt() == _sym_ubt(_ubt()), _depth(_ubt()) > 0);
    _path p;
    _print(_sym_ubt(p / "a" / "b"));
}
//> 1 1
//> b
//> a
