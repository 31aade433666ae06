// test run
_probe _oneshot {
    for (int i = -1; i < 2; i++) _try { printf("%d\n", 6 / i); } _catch (_fault f) { printf("%s\n", f.kind); }
}
//> -6
//> division by zero
//> 6
