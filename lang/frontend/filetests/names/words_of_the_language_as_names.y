// test run
//: struct option { int try; int view; };
//: struct option foreach;
//! memory 0x10000 u32 1 2
struct view { int catch; };
int delete(int limit) { return limit + 1; }
_probe _oneshot {
    struct view probe;
    probe.catch = foreach.try;
    int desc = 4, by = 5, limit = desc * by;
    int t[int];
    t[1] = 2;
    _foreach (k, v in t _by v + by _limit limit)
        printf("%d %d\n", k, v);
    if (probe.catch) { desc = delete(limit); }
    printf("%d %d %d\n", probe.catch, foreach.view, desc);
}
//> 1 2
//> 1 2 21
