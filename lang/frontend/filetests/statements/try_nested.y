// test run
_probe _oneshot {
    _try {
        _try {
            _raise("inner");
        } _catch (_fault f) {
            printf("1 %s: %s\n", f.kind, f.message);
            _raise("outer");
        }
    } _catch (_fault f) {
        printf("2 %s\n", f.message);
    }
    for (int i = 0; i < 3; i++) {
        _try {
            if (i == 1) continue;
            if (i == 2) break;
            printf("i %d\n", i);
        } _catch { printf("never\n"); }
    }
    _try { *(int *) 0xdead; } _catch (_fault f) { printf("%s %p\n", f.kind, f.addr); }
}
//> warning 20:12: the result is not used [this computes `int` and drops it]
//> 1 raised: inner
//> 2 outer
//> i 0
//> unmapped 0xdead
