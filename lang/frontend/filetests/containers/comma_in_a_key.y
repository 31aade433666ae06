// test run
long t[int, int];
_probe _oneshot {
    int n = 0;
    t[2, 3] = 5;
    printf("%d %d %d\n", ((n++, 2), 3) in t, (2, (n++, 3)) in t, ((n++, 3), 2) in t);
    printf("%d\n", n);
}
//> 1 1 0
//> 3
