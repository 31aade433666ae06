// test run
_probe _oneshot {
    struct in { int a; _str s; }; struct k { struct in i; int n; };
    long t[struct k];
    struct k x = { { 1, "s" }, 2 };
    t[x] = 7;
    x.n = 4;
    printf("%ld %ld\n", t[x], _elems(t));
}
//> 0 1
