// test run
void fill(int a[], long t[_str]) {
    for (int i = 0; i < 3; i++) _push(a, i * i);
    t["n"] += 10;
}
_probe _oneshot {
    int a[];
    long t[_str];
    fill(a, t);
    fill(a, t);
    printf("%ld %d %ld\n", _len(a), a[5], t["n"]);
}
//> 6 4 20
