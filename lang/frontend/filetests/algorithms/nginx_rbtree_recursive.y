// test run
//: typedef unsigned long ngx_rbtree_key_t;
//: typedef struct ngx_rbtree_node_s ngx_rbtree_node_t;
//: struct ngx_rbtree_node_s { ngx_rbtree_key_t key; ngx_rbtree_node_t *left; ngx_rbtree_node_t *right; ngx_rbtree_node_t *parent; unsigned char color; unsigned char data; };
//: struct ngx_rbtree_s { ngx_rbtree_node_t *root; ngx_rbtree_node_t *sentinel; };
//: typedef struct ngx_rbtree_s ngx_rbtree_t;
//: ngx_rbtree_t ngx_event_timer_rbtree;
//! memory 0x10000 u64 0x2000 0x1000
//! memory 0x2000 u64 5 0x2100 0x2200 0
//! memory 0x2100 u64 3 0x1000 0x1000 0x2000
//! memory 0x2200 u64 8 0x1000 0x1000 0x2000
ngx_rbtree_node_t *ngx_rbtree_min(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel) {
    while (node->left != sentinel) {
        node = node->left;
    }
    return node;
}
ngx_rbtree_node_t *ngx_rbtree_next(ngx_rbtree_t *tree, ngx_rbtree_node_t *node) {
    ngx_rbtree_node_t *root, *sentinel, *parent;
    sentinel = tree->sentinel;
    if (node->right != sentinel) {
        return ngx_rbtree_min(node->right, sentinel);
    }
    root = tree->root;
    for ( ;; ) {
        parent = node->parent;
        if (node == root) {
            return NULL;
        }
        if (node == parent->left) {
            return parent;
        }
        node = parent;
    }
}
_probe _oneshot {
    ngx_rbtree_t *tree = &ngx_event_timer_rbtree;
    for (ngx_rbtree_node_t *node = ngx_rbtree_min(tree->root, tree->sentinel); node; node = ngx_rbtree_next(tree, node))
        printf("%lu\n", node->key);
}
//> 3
//> 5
//> 8
