// test run-error
_probe _oneshot {
    _agg a;
    int step = 0;
    a <<< 1;
    _print(_hist_linear(a, 0, 10, step));
}
//> _oneshot ended: raised: a linear histogram has 1 to 1000 rows, but 0 to 10 by 0 gives none at 6:12
