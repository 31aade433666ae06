// test run
int risky(int d) { return 100 / d; }
_probe _oneshot {
    int x = 1;
    _try {
        x = 2;
        x = risky(0);
        x = 3;
    } _catch (_fault f) {
        printf("%s\n", f.kind);
    }
    printf("%d\n", x);
    _try { x = risky(5); } _catch { x = -1; }
    printf("%d\n", x);
}
//> division by zero
//> 2
//> 20
