// test run
_probe _oneshot {
    long a[]; long t[int];
    printf("%ld %ld %ld %ld\n", _sum(a), _min(a), _max(t), _count(t));
}
//> 0 0 0 0
