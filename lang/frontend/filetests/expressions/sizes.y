// test run
_probe _oneshot {
    printf("%lu %lu %lu\n", sizeof(int), sizeof(long), sizeof(void *));
    struct s { char a; int b; char c; };
    struct s v;
    printf("%lu %lu %lu\n", sizeof(struct s), sizeof v, offsetof(struct s, c));
    int a[10];
    printf("%lu\n", sizeof a / sizeof a[0]);
}
//> 4 8 8
//> 12 12 8
//> 10
