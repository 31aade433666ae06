// test run
_probe _oneshot {
    long t[int]; long a[]; _agg g;
    t[1] = 1; _push(a, 1); g <<< 1;
    _clear(t); _clear(a); _clear(g);
    printf("%V %V %V\n", t, a, g);
}
//> {} {} {count = 0, sum = 0, min = 0, max = 0, average = 0}
