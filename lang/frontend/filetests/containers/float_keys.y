// test run
int t[double];
_probe _oneshot {
    double zero = 0;
    t[0.0] = 1;
    t[-zero] += 10;
    t[zero / zero] += 100;
    t[-(zero / zero)] += 100;
    t[1.5] = 5;
    printf("%d %d %d %ld\n", t[0.0], t[zero / zero], t[1.5], _len(t));
    float f[float];
    f[0.1f] = 2.5f;
    _foreach (k, v in f) printf("%.3f %.3f %d\n", k, v, k == 0.1f);
}
//> 11 200 5 3
//> 0.100 2.500 1
