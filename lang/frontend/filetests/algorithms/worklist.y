// test run
struct item { long at; _path path; };
long held[_path];
int seen[long];
_probe _oneshot {
    struct item work[];
    _path root;
    struct item first = { 1, root / "1" };
    _push(work, first);
    while (_len(work)) {
        struct item it = _shift(work);
        if (it.at in seen) continue;
        seen[it.at] = 1;
        held[it.path] += it.at;
        for (int k = 2; k <= 3; k++) {
            long next = it.at * k;
            if (next > 50) continue;
            struct item more = { next, it.path / sprintf("%ld", next) };
            _push(work, more);
        }
    }
    printf("%ld %ld\n", _len(held), _sum(held));
    _foreach (p, v in held _by v _desc _limit 2) printf("%V %ld\n", p, v);
}
//> 15 246
//> 1 / 2 / 4 / 8 / 16 / 48 48
//> 1 / 2 / 4 / 12 / 36 36
