/// Claims the blocks of nginx's pools for <glibc/owners.y>, by kind: those of the present cycle and of old ones, of connections, requests and modules, and those that
/// nobody owns.

#ifndef NGINX_OWNERS_Y
#define NGINX_OWNERS_Y

#include <nginx/pools.y>
#include <glibc/owners.y>

/// Bytes of an owner's pool that are looked through for pointers to pools.
#define NGX_OWNERS_SEARCH (256ul << 20)

/// Claims the chunks of a pool: its blocks, and what is large.
void ngx_claim_pool(ngx_pool_t *pool, int owner)
{
    _try {
        ngx_pool_t *block = pool;
        for (uint64_t i = 0; block && i < NGX_MOST_BLOCKS; i++) {
            glibc_claim(block, owner);
            block = block->d.next;
        }
        ngx_pool_large_t *large = pool->large;
        for (uint64_t i = 0; large && i < NGX_MOST_BLOCKS; i++) {
            glibc_claim(large->alloc, owner);
            large = large->next;
        }
    } _catch (_fault f) {
        ngx_skipped++;
    }
}

void ngx_claim_blocks(void)
{
    if (!ngx_valid_cycle()) {
        glibc_owner_missing("nginx", "its cycle is not what the types in use say (--debug-file nginx=FILE, or --types FILE)");
        return;
    }
    ngx_quiet = 1;
    ngx_cycle_t *cycle = ngx_live_cycle();
    ngx_learn_modules(cycle);
    ngx_learn_places();
    ngx_own_cycle(cycle, NGX_K_CYCLE);
    ngx_scan_pools();
    ngx_find_owners(NGX_OWNERS_SEARCH);
    int owners[NGX_KINDS];
    for (int kind = 1; kind < NGX_KINDS; kind++)
        owners[kind] = 0;
    _foreach (pool, kind in ngx_pools) {
        if (!owners[kind])
            owners[kind] = glibc_owner_number((kind == NGX_K_CYCLE ? "current cycle" : ngx_kind_name(kind)) + " pool");
        ngx_claim_pool(pool, owners[kind]);
    }
    if (ngx_skipped > 0)
        glibc_owner_missing("nginx", sprintf("%ld parts of pools or connections make no sense", ngx_skipped));
}

#endif
