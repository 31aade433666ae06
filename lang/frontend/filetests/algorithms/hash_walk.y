// test run
//! memory 0x1000 u32 3 0 u64 0x1100
//! memory 0x1100 u64 0x1200 0 0x1300
//! memory 0x1200 u64 5 0x1210 6 0
//! memory 0x1300 u64 7 0
struct node { unsigned key; struct node *next; };
struct hash { int size; struct node **buckets; };
_probe _oneshot {
    struct hash *h = (struct hash *) 0x1000;
    unsigned total = 0;
    for (int i = 0; i < h->size; i++) {
        struct node *n;
        for (n = h->buckets[i]; n != NULL; n = n->next) total = total * 31 + n->key;
    }
    printf("%u\n", total);
}
//> 4998
