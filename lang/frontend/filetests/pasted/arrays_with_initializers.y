// test run
// The idioms with which C goes over a constant array.
typedef struct { int low, high; } range_t;
static const range_t ranges[] = { { 0, 9 }, { 10, 99 }, { 100, 999 } };
static const char digits[] = "0123456789abcdef";
#define NELEMS(a) (sizeof(a) / sizeof((a)[0]))
static int classify(int n)
{
    unsigned int i;
    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (n >= ranges[i].low && n <= ranges[i].high)
            return i;
    return -1;
}
_probe _oneshot {
    char local[] = "ab";
    long grown[] = { 1, 2 };
    printf("%d %d %d\n", classify(5), classify(500), classify(5000));
    printf("%zu %c %zu %zu %zu\n", sizeof digits, digits[11], NELEMS(digits), sizeof(local), sizeof(ranges));
    _push(grown, 3);
    printf("%zu %zu\n", sizeof grown, NELEMS(grown));
}
//> 0 2 -1
//> 17 b 17 3 24
//> 24 3
