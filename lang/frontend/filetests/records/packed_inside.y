// test run
_probe _oneshot {
    struct __attribute__((packed)) in { char c; int i; }; struct out { char c; struct in a[2]; long l; };
    printf("%zu %zu %zu\n", sizeof(struct out), offsetof(struct out, a), offsetof(struct out, l));
}
//> 24 1 16
