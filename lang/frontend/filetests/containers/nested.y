// test run
int a[_str][];
long m[int][int];
_probe _oneshot {
    printf("%ld %ld\n", _len(a["x"]), _len(a));
    _push(a["x"], 1);
    _push(a["x"], 2);
    _push(a["y"], 3);
    printf("%ld %ld %d\n", _len(a), _len(a["x"]), a["x"][1]);
    m[1][2] = 12;
    m[1][3] += 13;
    printf("%ld %ld %ld %ld\n", m[1][2], m[1][3], m[2][2], _len(m));
    _foreach (k, v in a) {
        printf("%s:", k);
        _foreach (e in v) printf(" %d", e);
        printf("\n");
    }
}
//> 0 0
//> 2 2 2
//> 12 13 0 1
//> x: 1 2
//> y: 3
