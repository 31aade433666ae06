// test run
int a[];
_probe _oneshot {
    for (int i = 0; i < 5; i++) _push(a, i * 10);
    _unshift(a, -1);
    printf("%ld %d %d\n", _len(a), a[0], a[5]);
    printf("%d %d\n", _pop(a), _shift(a));
    a[1] += 7;
    a[2]++;
    _foreach (v in a) printf("%d ", v);
    printf("\n");
}
//> 6 -1 40
//> 40 -1
//> 0 17 21 30 
