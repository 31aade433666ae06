// test run
_option int step = 10;
_view histogram "Sizes" "bytes" _hist_linear(0, 10 * step, step) _agg sizes;
_view histogram "By name" "ns" _hist_log() _agg by_name[_str];
_probe _oneshot {
    sizes <<< 5;
    by_name["a"] <<< 7;
    printf("%ld %ld\n", _count(sizes), _count(by_name["a"]));
}
//> 1 1
