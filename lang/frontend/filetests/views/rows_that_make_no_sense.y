// test type-error
_view histogram "A" "bytes" _hist_linear(0, 100, 0) _agg a;
_view histogram "B" "bytes" _hist_linear(100, 0, 10) _agg b;
_view histogram "C" "bytes" _hist_linear(0, 1000000, 1) _agg c;
_probe _oneshot { }
//> error 2:29: a linear histogram has 1 to 1000 rows, but 0 to 100 by 0 gives none [the steps make no sense]
//> error 3:29: a linear histogram has 1 to 1000 rows, but 100 to 0 by 10 gives none [the steps make no sense]
//> error 4:29: a linear histogram has 1 to 1000 rows, but 0 to 1000000 by 1 gives 1000000 [the steps make no sense]
