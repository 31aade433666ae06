// test run
long t[_str];
struct s { int a; int b; };
_probe _oneshot {
    printf("%ld %ld\n", _sum(t), _max(t));
    t["a"] = -5;
    t["b"] = 20;
    t["c"] = 7;
    printf("%ld %ld %ld %ld\n", _sum(t), _min(t), _max(t), _count(t));
    int small[int];
    small[1] = -1;
    small[2] = 3;
    printf("%ld %ld\n", (long) _sum(small), (long) _min(small));
}
//> 0 0
//> 22 -5 20 3
//> 2 -1
