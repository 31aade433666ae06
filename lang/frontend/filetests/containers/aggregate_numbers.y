// test run
_probe _oneshot {
    _agg a;
    a <<< 5; a <<< -3; a <<< 10;
    printf("%ld %ld %ld %ld %ld %ld\n", _count(a), _sum(a), _min(a), _max(a), _avg(a), _variance(a));
}
//> 3 12 -3 10 4 43
