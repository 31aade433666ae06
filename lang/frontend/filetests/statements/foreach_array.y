// test run
_probe _oneshot {
    int a[];
    _push(a, 30);
    _push(a, 10);
    _push(a, 20);
    _foreach (v in a) printf("%d ", v);
    printf("\n");
    _foreach (i, v in a _by v) printf("%ld:%d ", i, v);
    printf("\n");
    _foreach (i, v in a _by v _desc _limit 1) printf("%ld:%d ", i, v);
    printf("\n");
}
//> 30 10 20 
//> 1:10 2:20 0:30 
//> 0:30 
