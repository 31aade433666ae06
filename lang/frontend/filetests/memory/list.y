// test run
//! memory 0x1000 u64 10 0x1100
//! memory 0x1100 u64 20 0x1200
//! memory 0x1200 u64 30 0
struct node { long value; struct node *next; };
_probe _oneshot {
    long sum = 0;
    int n = 0;
    for (struct node *p = (struct node *) 0x1000; p; p = p->next) {
        sum += p->value;
        n++;
    }
    printf("%d %ld\n", n, sum);
    struct node copy = *(struct node *) 0x1100;
    printf("%ld %p\n", copy.value, copy.next);
}
//> 3 60
//> 20 0x1200
