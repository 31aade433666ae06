// test run
_probe _oneshot {
    long a[]; double d[]; unsigned char c[]; struct s { int n; long m; }; struct s s[];
    _push(a, -3); _push(a, 5); _push(d, 0.5); _push(d, 1.25); _push(c, 200); _push(c, 100); _push(s, (struct s) { 1, 2 }); _push(s, (struct s) { 3, 4 });
    printf("%ld %ld %ld %g %lu %ld %ld\n", _sum(a), _min(a), _max(a), _sum(d), _sum(c), _sum(s.m), _max(s.n));
}
//> 2 -3 5 1.75 300 6 3
