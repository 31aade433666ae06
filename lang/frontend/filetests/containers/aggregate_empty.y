// test run
_probe _oneshot {
    _agg a;
    printf("%ld %ld %ld %ld %ld %ld[%s]\n", _count(a), _sum(a), _min(a), _max(a), _avg(a), _variance(a), _hist_log(a));
}
//> 0 0 0 0 0 0[]
