/// The keys that a `limit_req_zone` remembers, and those of a `lua_shared_dict`: two red-black trees, one by recursion and one in order.
#include <nginx/c.y>

static ngx_shm_zone_t *
find_zone(volatile ngx_cycle_t *cycle, void *tag)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    part = &cycle->shared_memory.part;
    zone = part->elts;

    for ( ;; ) {
        for (i = 0; i < part->nelts; i++) {
            if (zone[i].tag == tag && ngx_strncmp(zone[i].shm.name.data, "others", 6) != 0) {
                return &zone[i];
            }
        }

        if (part->next == NULL) {
            return NULL;
        }

        part = part->next;
        zone = part->elts;
    }
}

static ngx_uint_t
ngx_http_limit_req_count(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_http_limit_req_node_t  *lr;

    if (node == sentinel) {
        return 0;
    }

    lr = (ngx_http_limit_req_node_t *) &node->color;
    printf("%.*s\n", lr->len, lr->data);

    return 1 + ngx_http_limit_req_count(node->left, sentinel)
             + ngx_http_limit_req_count(node->right, sentinel);
}

_probe _oneshot {
    ngx_rbtree_t               *tree;
    ngx_uint_t                  n;
    ngx_shm_zone_t             *shm_zone;
    ngx_rbtree_node_t          *node, *root, *sentinel;
    ngx_http_limit_req_ctx_t   *ctx;
    ngx_http_lua_shdict_ctx_t  *dict;
    ngx_http_lua_shdict_node_t *sd;
    ngx_http_lua_shm_zone_ctx_t *wrapper;

    shm_zone = find_zone(ngx_cycle, &ngx_http_limit_req_module);
    ctx = shm_zone->data;
    printf("limit_req %lu\n", ngx_http_limit_req_count(ctx->sh->rbtree.root, ctx->sh->rbtree.sentinel));

    shm_zone = find_zone(ngx_cycle, &ngx_http_lua_module);
    wrapper = shm_zone->data;
    dict = wrapper->zone.data;
    tree = &dict->sh->rbtree;
    sentinel = tree->sentinel;
    root = tree->root;
    n = 0;

    if (root == sentinel) {
        goto done;
    }

    for (node = ngx_rbtree_min(root, sentinel);
         node;
         node = ngx_rbtree_next(tree, node))
    {
        sd = (ngx_http_lua_shdict_node_t *) &node->color;
        if (sd->key_len > 0 && ngx_tolower(sd->data[0]) == 's') {
            n++;
        }
    }

done:

    printf("shdict %lu\n", n);
}
