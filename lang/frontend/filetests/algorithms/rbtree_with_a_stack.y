// test run
//: typedef struct rb_node { unsigned long key; struct rb_node *left, *right, *parent; unsigned char color, data; } rb_node_t;
//: typedef struct rb_tree { rb_node_t *root, *sentinel; } rb_tree_t;
//: rb_tree_t timers;
//! memory 0x10000 u64 0x2000 0x1000
//! memory 0x1000 u64 0 0 0 0 u8 0 0 0 0 0 0 0 0
//! memory 0x2000 u64 50 0x2100 0x2200 0 u8 0 0 0 0 0 0 0 0
//! memory 0x2100 u64 20 0x2300 0x2400 0x2000 u8 1 0 0 0 0 0 0 0
//! memory 0x2200 u64 70 0x1000 0x1000 0x2000 u8 0 0 0 0 0 0 0 0
//! memory 0x2300 u64 10 0x1000 0x1000 0x2100 u8 0 0 0 0 0 0 0 0
//! memory 0x2400 u64 30 0x1000 0x1000 0x2100 u8 0 0 0 0 0 0 0 0
_probe _oneshot {
    rb_node_t *stack[];
    rb_node_t *node = timers.root, *sentinel = timers.sentinel;
    while (node != sentinel || _elems(stack)) {
        while (node != sentinel) {
            _push(stack, node);
            node = node->left;
        }
        node = _pop(stack);
        printf("%lu%s ", node->key, node->color ? "r" : "b");
        node = node->right;
    }
    puts("");
}
//> 10b 20r 30b 50b 70b 
