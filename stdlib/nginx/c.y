/// nginx's own macros and small functions, so that code pasted from its sources runs. Types and variables come from the debug information of
/// the nginx at hand. What writes, allocates or frees is left out: the target is only read. A function here gives way to a pasted one of
/// the same name.

#ifndef NGINX_C_Y
#define NGINX_C_Y

// Results.
#define NGX_OK 0
#define NGX_ERROR -1
#define NGX_AGAIN -2
#define NGX_BUSY -3
#define NGX_DONE -4
#define NGX_DECLINED -5
#define NGX_ABORT -6

// ngx_config.h, ngx_core.h
#define ngx_inline inline
#define ngx_cdecl
#define NGX_ALIGNMENT sizeof(unsigned long)
#define NGX_MAX_INT_T_VALUE 9223372036854775807
#define NGX_MAX_UINT32_VALUE (uint32_t) 0xffffffff
#define NGX_MAX_INT32_VALUE (uint32_t) 0x7fffffff
#define ngx_align(d, a) (((d) + (a - 1)) & ~(a - 1))
#define ngx_align_ptr(p, a) ((u_char *) (((uintptr_t) (p) + ((uintptr_t) (a) - 1)) & ~((uintptr_t) (a) - 1)))
#define ngx_abs(value) (((value) >= 0) ? (value) : - (value))
#define ngx_max(val1, val2) ((val1 < val2) ? (val2) : (val1))
#define ngx_min(val1, val2) ((val1 > val2) ? (val2) : (val1))

// ngx_string.h
#define ngx_string(str) { sizeof(str) - 1, (u_char *) str }
#define ngx_null_string { 0, NULL }
#define ngx_tolower(c) (u_char) ((c >= 'A' && c <= 'Z') ? (c | 0x20) : c)
#define ngx_toupper(c) (u_char) ((c >= 'a' && c <= 'z') ? (c & ~0x20) : c)
// With no casts, so that a string literal stays one and is not looked for in the target.
#define ngx_strcmp(s1, s2) strcmp(s1, s2)
#define ngx_strncmp(s1, s2, n) strncmp(s1, s2, n)
#define ngx_strlen(s) strlen(s)
#define ngx_memcmp(s1, s2, n) memcmp(s1, s2, n)
#define ngx_base64_encoded_length(len) (((len + 2) / 3) * 4)
#define ngx_base64_decoded_length(len) (((len + 3) / 4) * 3)
#define ngx_value_helper(n) #n
#define ngx_value(n) ngx_value_helper(n)

// ngx_palloc.h
#define NGX_MAX_ALLOC_FROM_POOL (ngx_pagesize - 1)
#define NGX_DEFAULT_POOL_SIZE (16 * 1024)
#define NGX_POOL_ALIGNMENT 16
#define NGX_MIN_POOL_SIZE ngx_align((sizeof(ngx_pool_t) + 2 * sizeof(ngx_pool_large_t)), NGX_POOL_ALIGNMENT)

// ngx_queue.h
#define ngx_queue_empty(h) ((h) == (h)->prev)
#define ngx_queue_head(h) (h)->next
#define ngx_queue_last(h) (h)->prev
#define ngx_queue_sentinel(h) (h)
#define ngx_queue_next(q) (q)->next
#define ngx_queue_prev(q) (q)->prev
#define ngx_queue_data(q, type, link) (type *) ((u_char *) q - offsetof(type, link))

// ngx_rbtree.h
#define ngx_rbtree_data(node, type, link) (type *) ((u_char *) (node) - offsetof(type, link))
#define ngx_rbt_is_red(node) ((node)->color)
#define ngx_rbt_is_black(node) (!ngx_rbt_is_red(node))

// ngx_radix_tree.h
#define NGX_RADIX_NO_VALUE (uintptr_t) -1

// ngx_hash.h
#define NGX_HASH_SMALL 1
#define NGX_HASH_LARGE 2
#define NGX_HASH_LARGE_ASIZE 16384
#define NGX_HASH_LARGE_HSIZE 10007
#define NGX_HASH_WILDCARD_KEY 1
#define NGX_HASH_READONLY_KEY 2
#define ngx_hash(key, c) ((ngx_uint_t) key * 31 + c)
#define NGX_HASH_ELT_SIZE(name) (sizeof(void *) + ngx_align((name)->key.len + 2, sizeof(void *)))

// ngx_buf.h
#define NGX_CHAIN_ERROR (ngx_chain_t *) NGX_ERROR
#define ngx_buf_in_memory(b) ((b)->temporary || (b)->memory || (b)->mmap)
#define ngx_buf_in_memory_only(b) (ngx_buf_in_memory(b) && !(b)->in_file)
#define ngx_buf_special(b) (((b)->flush || (b)->last_buf || (b)->sync) && !ngx_buf_in_memory(b) && !(b)->in_file)
#define ngx_buf_sync_only(b) ((b)->sync && !ngx_buf_in_memory(b) && !(b)->in_file && !(b)->flush && !(b)->last_buf)
#define ngx_buf_size(b) (ngx_buf_in_memory(b) ? (off_t) ((b)->last - (b)->pos) : ((b)->file_last - (b)->file_pos))

// ngx_slab.c, for words of 64 bits. The slots and the address of a page came with the statistics, in 1.11.7.
#define NGX_SLAB_PAGE_MASK 3
#define NGX_SLAB_PAGE 0
#define NGX_SLAB_BIG 1
#define NGX_SLAB_EXACT 2
#define NGX_SLAB_SMALL 3
#define NGX_SLAB_PAGE_FREE 0
#define NGX_SLAB_PAGE_BUSY 0xffffffffffffffff
#define NGX_SLAB_PAGE_START 0x8000000000000000
#define NGX_SLAB_SHIFT_MASK 0x000000000000000f
#define NGX_SLAB_MAP_MASK 0xffffffff00000000
#define NGX_SLAB_MAP_SHIFT 32
#define NGX_SLAB_BUSY 0xffffffffffffffff
#define ngx_slab_slots(pool) (ngx_slab_page_t *) ((u_char *) (pool) + sizeof(ngx_slab_pool_t))
#define ngx_slab_page_type(page) ((page)->prev & NGX_SLAB_PAGE_MASK)
#define ngx_slab_page_prev(page) (ngx_slab_page_t *) ((page)->prev & ~NGX_SLAB_PAGE_MASK)
#define ngx_slab_page_addr(pool, page) ((((page) - (pool)->pages) << ngx_pagesize_shift) + (uintptr_t) (pool)->start)

// ngx_module.h, ngx_conf_file.h
#define NGX_MODULE_UNSET_INDEX (ngx_uint_t) -1
#define NGX_CORE_MODULE 0x45524F43
#define NGX_CONF_MODULE 0x464E4F43
#define NGX_EVENT_MODULE 0x544E5645
#define NGX_HTTP_MODULE 0x50545448
#define NGX_STREAM_MODULE 0x4d525453
#define NGX_MAIL_MODULE 0x4C49414D
#define NGX_CONF_UNSET -1
#define NGX_CONF_UNSET_UINT (ngx_uint_t) -1
#define NGX_CONF_UNSET_PTR (void *) -1
#define NGX_CONF_UNSET_SIZE (size_t) -1
#define NGX_CONF_UNSET_MSEC (ngx_msec_t) -1
#define NGX_CONF_OK NULL
#define NGX_CONF_ERROR (void *) -1
#define ngx_get_conf(conf_ctx, module) conf_ctx[module.index]
#define ngx_event_get_conf(conf_ctx, module) (*(ngx_get_conf(conf_ctx, ngx_events_module))) [module.ctx_index]

// ngx_times.h, ngx_event.h, ngx_event_timer.h, ngx_connection.h
#define ngx_time() ngx_cached_time->sec
#define ngx_timeofday() (ngx_time_t *) ngx_cached_time
#define NGX_TIMER_INFINITE (ngx_msec_t) -1
#define NGX_TIMER_LAZY_DELAY 300
#define NGX_INVALID_INDEX 0xd0d0d0d0
#define ngx_event_ident(p) ((ngx_connection_t *) (p))->fd

// ngx_http_config.h, ngx_stream.h
#define NGX_HTTP_MAIN_CONF_OFFSET offsetof(ngx_http_conf_ctx_t, main_conf)
#define NGX_HTTP_SRV_CONF_OFFSET offsetof(ngx_http_conf_ctx_t, srv_conf)
#define NGX_HTTP_LOC_CONF_OFFSET offsetof(ngx_http_conf_ctx_t, loc_conf)
#define ngx_http_get_module_ctx(r, module) (r)->ctx[module.ctx_index]
#define ngx_http_get_module_main_conf(r, module) (r)->main_conf[module.ctx_index]
#define ngx_http_get_module_srv_conf(r, module) (r)->srv_conf[module.ctx_index]
#define ngx_http_get_module_loc_conf(r, module) (r)->loc_conf[module.ctx_index]
#define ngx_http_conf_get_module_main_conf(cf, module) ((ngx_http_conf_ctx_t *) cf->ctx)->main_conf[module.ctx_index]
#define ngx_http_conf_get_module_srv_conf(cf, module) ((ngx_http_conf_ctx_t *) cf->ctx)->srv_conf[module.ctx_index]
#define ngx_http_conf_get_module_loc_conf(cf, module) ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf[module.ctx_index]
#define ngx_http_cycle_get_module_main_conf(cycle, module)                                                            \
    (cycle->conf_ctx[ngx_http_module.index] ?                                                                         \
        ((ngx_http_conf_ctx_t *) cycle->conf_ctx[ngx_http_module.index])->main_conf[module.ctx_index] :               \
        NULL)
#define ngx_stream_get_module_ctx(s, module) (s)->ctx[module.ctx_index]
#define ngx_stream_get_module_main_conf(s, module) (s)->main_conf[module.ctx_index]
#define ngx_stream_get_module_srv_conf(s, module) (s)->srv_conf[module.ctx_index]
#define ngx_stream_cycle_get_module_main_conf(cycle, module)                                                          \
    (cycle->conf_ctx[ngx_stream_module.index] ?                                                                       \
        ((ngx_stream_conf_ctx_t *) cycle->conf_ctx[ngx_stream_module.index])->main_conf[module.ctx_index] :           \
        NULL)

##ifdeftype ngx_rbtree_t
/// The node with the least key below `node`.
__attribute__((weak)) ngx_rbtree_node_t *ngx_rbtree_min(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    while (node->left != sentinel)
        node = node->left;
    return node;
}

/// The node that follows in the order of keys, or NULL.
__attribute__((weak)) ngx_rbtree_node_t *ngx_rbtree_next(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    if (node->right != tree->sentinel)
        return ngx_rbtree_min(node->right, tree->sentinel);
    while (node != tree->root && node == node->parent->right)
        node = node->parent;
    return node == tree->root ? NULL : node->parent;
}
##endif

##ifdeftype ngx_hash_t
/// The value of a name in a hash, or NULL. `key` is the hash of the name.
__attribute__((weak)) void *ngx_hash_find(ngx_hash_t *hash, ngx_uint_t key, u_char *name, size_t len)
{
    ngx_hash_elt_t *elt = hash->size ? hash->buckets[key % hash->size] : NULL;
    while (elt && elt->value) {
        if (elt->len == len && memcmp(elt->name, name, len) == 0)
            return elt->value;
        elt = (ngx_hash_elt_t *)ngx_align_ptr(&elt->name[0] + elt->len, sizeof(void *));
    }
    return NULL;
}

/// The hash of a name as it stands.
__attribute__((weak)) ngx_uint_t ngx_hash_key(u_char *data, size_t len)
{
    ngx_uint_t key = 0;
    for (ngx_uint_t i = 0; i < len; i++)
        key = ngx_hash(key, data[i]);
    return key;
}

/// The hash of a name in lower case.
__attribute__((weak)) ngx_uint_t ngx_hash_key_lc(u_char *data, size_t len)
{
    ngx_uint_t key = 0;
    for (ngx_uint_t i = 0; i < len; i++)
        key = ngx_hash(key, ngx_tolower(data[i]));
    return key;
}
##endif

#endif
