// test run
_probe _oneshot {
    struct v { long n; _str last; };
    struct v t[int];
    t[1].n += 3; t[1].last = "x"; t[2].last = "y";
    printf("%V %ld\n", t, _sum(t.n));
}
//> {[1] = {n = 3, last = "x"}, [2] = {n = 0, last = "y"}} 3
