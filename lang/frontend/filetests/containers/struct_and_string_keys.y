// test run
_probe _oneshot {
    struct k { int a, b; };
    long t[struct k, _str];
    t[(struct k) { 1, 2 }, "x"] = 5;
    printf("%ld %d\n", t[(struct k) { 1, 2 }, "x"], ((struct k) { 2, 1 }, "x") in t);
}
//> 5 0
