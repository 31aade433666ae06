// test type-error
long n;
_view histogram "A" "bytes" _hist_square() _agg a;
_view histogram "B" "bytes" _hist_linear(0, 10) _agg b;
_view histogram "C" "bytes" _hist_linear(0, 10, n) _agg c;
_probe _oneshot { }
//> error 3:29: this is no form of a histogram [no such form] (help: there are `_hist_log()` and `_hist_linear(low, high, step)`)
//> error 4:29: this is no form of a histogram [no such form] (help: there are `_hist_log()` and `_hist_linear(low, high, step)`)
//> error 5:49: this must be an integer constant [its value is not known here]
