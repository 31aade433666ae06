// test run
// Declarations of what the target has say nothing new.
//: struct list { int count; int (*compare)(int, int); };
//: struct list *items;
//: int by_id(int, int);
//! memory 0x10000 u64 0x2000
//! memory 0x2000 u32 7 0 u64 0x400000
extern struct list *items;
extern int by_id(int a, int b);
int by_id(int a, int b);
static int twice(int n);
_probe _oneshot {
    printf("%d %d %d\n", items->count, twice(items->count), items->compare == by_id);
}
static int twice(int n)
{
    return 2 * n;
}
//> 7 14 1
