// test run
long n[int, _str];
_probe _oneshot {
    n[1, "x"] = 10;
    n[1, "y"] = 20;
    n[2, "x"] += 5;
    printf("%ld %ld %ld\n", n[1, "x"], n[2, "x"], n[2, "y"]);
    printf("%d %d\n", (1, "y") in n, (3, "y") in n);
    _foreach ((i, s), v in n) printf("%d%s=%ld ", i, s, v);
    printf("\n");
    _delete n[1, "x"];
    printf("%ld\n", _len(n));
}
//> 10 5 0
//> 1 0
//> 1x=10 1y=20 2x=5 
//> 2
