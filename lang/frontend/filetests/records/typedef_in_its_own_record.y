// test run
typedef struct node_s node_t;
typedef node_t *link_t;
struct node_s {
    node_t *next;
    link_t *links;
    struct { node_t *other; } inner;
    int value;
};
//! memory 0x2000 u64 0x2100 0 0x2100 u32 10 0
//! memory 0x2100 u64 0 0 0x2000 u32 32 0
_probe _oneshot {
    int sum = 0;
    for (node_t *n = (node_t *) 0x2000; n; n = n->next)
        sum += n->value;
    node_t *first = (node_t *) 0x2000;
    printf("%d %d %zu\n", sum, first->inner.other->value, sizeof(node_t));
}
//> 42 32 32
