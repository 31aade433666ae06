// test type-error
_view series "S" "bytes" _hist_linear(0, 100, 10) long s;
_probe _oneshot { }
//> error 2:26: `_hist_linear` is of histograms [this view is a series] (help: write `_view histogram "title" "unit" _hist_linear(low, high, step) _agg a;`)
