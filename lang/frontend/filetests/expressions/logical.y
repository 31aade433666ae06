// test run
_probe _oneshot {
    int n = 0;
    printf("%d %d\n", n++ && n++, n);
    printf("%d %d\n", n++ || n++, n);
    printf("%d %d\n", !n, !!n);
    _str s;
    printf("%d %d\n", s ? 1 : 0, s + "x" ? 1 : 0);
    printf("%d\n", 5 ?: 7);
    printf("%d\n", 0 ?: 7);
}
//> 0 1
//> 1 2
//> 0 1
//> 0 1
//> 5
//> 7
