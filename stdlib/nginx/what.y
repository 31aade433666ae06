/// Says of addresses which of nginx's pools they lie in, and whose that is, for `:what` at the prompt.

#ifndef NGINX_WHAT_Y
#define NGINX_WHAT_Y

#include <glibc/blocks.y>
#include <nginx/owners.y>

/// A pool in words: its kind, its owner, what it holds.
_str ngx_pool_text(ngx_pool_t *pool)
{
    int kind = ngx_pools[pool];
    struct ngx_pool_size s = ngx_measure_pool(pool);
    _str owner = ngx_pool_owner[pool];
    if (owner == "")
        owner = ngx_pool_creator(pool);
    return sprintf("%s pool 0x%lx%s, %hB in %lu block%s and %lu large", kind == NGX_K_CYCLE ? "current cycle" : ngx_kind_name(kind), (uint64_t)pool,
                   owner == "" ? "" : " of " + owner, (long)s.total, s.blocks, s.blocks == 1 ? "" : "s", s.large);
}

/// Asks for the blocks of a pool.
void ngx_say_pool(ngx_pool_t *pool)
{
    ngx_pool_t *block = pool;
    for (uint64_t i = 0; block && i < NGX_MOST_BLOCKS; i++) {
        uint64_t size = block->d.end > (u_char *)block ? (uint64_t)block->d.end - (uint64_t)block : 0;
        if (prompt_is_asked(block, size)) {
            uint64_t taken = (uint64_t)block->d.last - (uint64_t)block;
            prompt_say((uint64_t)block, size, "nginx pool", sprintf("%s; small objects, block %lu, 0x%lx of it taken", ngx_pool_text(pool), i + 1, taken));
        }
        block = block->d.next;
    }
    ngx_pool_large_t *large = pool->large;
    for (uint64_t i = 0; large && i < NGX_MOST_BLOCKS; i++) {
        uint64_t size = large->alloc ? ngx_usable(large->alloc) : 0;
        if (size && prompt_is_asked(large->alloc, size))
            prompt_say((uint64_t)large->alloc, size, "nginx pool", sprintf("%s; a large block", ngx_pool_text(pool)));
        large = large->next;
    }
}

void ngx_what(void)
{
    if (!glibc_is_here())
        return;
    glibc_learn_owners();
    long damaged = 0;
    _foreach (pool in ngx_pools) {
        _try {
            ngx_say_pool(pool);
        } _catch (_fault f) {
            damaged++;
        }
    }
    if (damaged > 0)
        _warn("%ld pools of nginx are damaged: what lies in them is not told as theirs", damaged);
}

#endif
