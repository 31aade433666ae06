// test run
struct key { char c; long n; };
int t[struct key];
_probe _oneshot {
    struct key k;
    k.c = 1;
    k.n = 2;
    t[k] = 12;
    struct key other;
    other.n = 2;
    other.c = 1;
    printf("%d %d\n", t[other], k in t);
    other.c = 3;
    printf("%d %d\n", t[other], other in t);
    _foreach (x, v in t) printf("%d %ld %d\n", x.c, x.n, v);
}
//> 12 1
//> 0 0
//> 1 2 12
