// test run
_agg a;
_agg by[_str];
_probe _oneshot {
    for (int i = 1; i <= 10; i++) {
        a <<< i;
        by[i % 2 ? "odd" : "even"] <<< i * i;
    }
    printf("%ld %ld %ld %ld %ld\n", _count(a), _sum(a), _min(a), _max(a), _avg(a));
    printf("%ld %ld %ld\n", _count(by["odd"]), _sum(by["even"]), _count(by["none"]));
    printf("%ld\n", _len(by));
}
//> 10 55 1 10 5
//> 5 220 0
//> 2
