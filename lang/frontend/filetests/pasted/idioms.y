// test run
// What pages of C are made of: goto, comma expressions, declarations after labels, qualifiers, casts, assignments in conditions,
// chains of `?:`, arithmetic on characters, macros of statements.
//: typedef struct item_s item_t;
//: struct item_s { item_t *next; unsigned id; char name[8]; };
//: typedef struct { item_t *first; } list_t;
//: list_t *items;
//! memory 0x10000 u64 0x2000
//! memory 0x2000 u64 0x3000
//! memory 0x3000 u64 0x3100 u32 12 "a1\0\0\0\0\0\0"
//! memory 0x3100 u64 0x3200 u32 7 "b2\0\0\0\0\0\0"
//! memory 0x3200 u64 0 u32 3 "c3\0\0\0\0\0\0"
#define swap_max(a, b)                                                        \
    do {                                                                      \
        if ((b) > (a)) {                                                      \
            (a) = (b);                                                        \
        }                                                                     \
    } while (0)
#define EACH(x) for ((x) = items->first; (x); (x) = (x)->next)
static inline unsigned char digit(register const item_t *restrict it);
_probe _oneshot {
    const item_t *it = NULL, *prev;
    volatile unsigned seen[4] = { 0 }, u = 0;
    int max = 0, n;
    long sum = 0L;
    EACH(it) {
        n = digit(it);
        if (n < 0) continue;
        seen[n]++, u++;
        swap_max(max, (int) it->id);
    }
    printf("%u %u %u %d %u\n", seen[1], seen[2], seen[3], max, u);
    it = items->first;
    while ((it = it->next) != NULL && (sum += it->id, sum < 8UL)) ;
    if (it)
        goto found;
    sum = 0;
found:;
    int after = it->name[1] - '0';
    char ch = 'a' + after % 26;
    printf("%d %c %ld\n", after, ch, sum);
again:
    for (prev = NULL, it = items->first, n = 0; it && n < 3; prev = it, it = it->next, ++n)
        printf("%s%s", prev ? ", " : "", it->name);
    printf("\n");
    switch (max) {
    case 1: case 2: { int k = 1; n = k; } break;
    default: n = 3; /* fall through */
    case 7: n += 4;
    }
    printf("%d %d %s\n", n, max == 1 ? 1 : max == 2 ? 2 : max == 12 ? 3 : 4, max & 1 ? "odd" : "even");
    do { if (n-- > 0) continue; break; } while (1);
    if (sum) { sum = 0; goto again; }
    const char *p = items->first->name;
    unsigned hash = 5381;
    while (*p) hash = hash * 33 ^ (unsigned char) *p++;
    printf("%u %td %#x\n", hash, p - items->first->name, ~0U >> 1);
}
static inline unsigned char digit(register const item_t *restrict it)
{
    return (unsigned char) it->name[1] - '0';
}
//> 1 1 1 12 3
//> 3 d 10
//> a1, b2, c3
//> 7 3 even
//> a1, b2, c3
//> 7 3 even
//> 5860981 2 0x7fffffff
