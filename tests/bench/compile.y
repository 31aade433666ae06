/// The requests that pool @ holds, and what is behind them.
struct seen@ {
    unsigned long bytes;
    long count;
    int deepest;
};

struct seen@ by_owner@[_str];
long sizes@[unsigned long];
_path paths@[];

/// Bytes of a pool: its blocks, its large allocations, its cleanup handlers.
unsigned long pool_bytes@(ngx_pool_t *pool, _str owner)
{
    unsigned long bytes = 0;
    int blocks = 0;
    for (ngx_pool_t *p = pool; p; p = p->d.next) {
        bytes += p->d.end - (u_char *)p;
        if (++blocks > 10000)
            break;
    }
    for (ngx_pool_large_t *l = pool->large; l; l = l->next) {
        if (l->alloc)
            sizes@[(unsigned long)l->alloc & ~4095ul] += 1;
        bytes += sizeof(ngx_pool_large_t);
    }
    for (ngx_pool_cleanup_t *c = pool->cleanup; c; c = c->next)
        bytes += sizeof(ngx_pool_cleanup_t);
    by_owner@[owner].bytes += bytes;
    by_owner@[owner].count += 1;
    if (by_owner@[owner].deepest < blocks)
        by_owner@[owner].deepest = blocks;
    return bytes;
}

/// The deepest node of a red-black tree, with a stack of its own.
int tree_depth@(ngx_rbtree_t *tree)
{
    ngx_rbtree_node_t *stack[64];
    int depths[64];
    int top = 0, deepest = 0;
    if (tree->root != tree->sentinel) {
        stack[0] = tree->root;
        depths[0] = 1;
        top = 1;
    }
    while (top > 0) {
        ngx_rbtree_node_t *node = stack[--top];
        int depth = depths[top];
        deepest = depth > deepest ? depth : deepest;
        if (node->left != tree->sentinel && top < 62) {
            stack[top] = node->left;
            depths[top++] = depth + 1;
        }
        if (node->right != tree->sentinel && top < 62) {
            stack[top] = node->right;
            depths[top++] = depth + 1;
        }
    }
    return deepest;
}

/// String keys of a Lua table by their length.
void table_keys@(GCtab *t, _path at)
{
    if (t->hmask == 0)
        return;
    Node *node = (Node *)t->node.ptr64;
    for (unsigned i = 0; i <= t->hmask; i++) {
        unsigned long tag = node[i].key.it64 >> 47;
        switch (tag & 15) {
        case 11:
            sizes@[((GCstr *)(node[i].key.u64 & 0x7fffffffffff))->len]++;
            break;
        case 4:
            _push(paths@, at / "table");
            break;
        default:
            continue;
        }
    }
}

_probe _timer.s(1 + @) {
    for (ngx_list_part_t *part = &((ngx_cycle_t *)ngx_cycle)->shared_memory.part; part; part = part->next) {
        ngx_shm_zone_t *zone = part->elts;
        for (ngx_uint_t i = 0; i < part->nelts; i++)
            printf("%V %lu\n", zone[i].shm.name.len, zone[i].shm.size);
    }
}

_probe _timer.s(2 + @) {
    ngx_connection_t *c = ngx_cycle->connections;
    for (ngx_uint_t i = 0; i < ngx_cycle->connection_n; i++)
        if (c[i].fd != -1 && c[i].pool)
            pool_bytes@(c[i].pool, "connection");
    pool_bytes@(ngx_cycle->pool, "cycle");
}

_probe _timer.s(3 + @) {
    _try {
        printf("depth %d\n", tree_depth@(&ngx_event_timer_rbtree));
        _path none;
        table_keys@((GCtab *)0x1000, none / "root");
    } _catch (_fault f) {
        _warn("timers cannot be read: %s", f.message);
    }
    _foreach (owner, s in by_owner@ _by s.bytes _desc _limit 10)
        printf("%s %lu %ld %d\n", owner, s.bytes, s.count, s.deepest);
}
