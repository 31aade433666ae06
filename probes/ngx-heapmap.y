#!/usr/bin/env -S ytrace run
/// The heap of an nginx process as a map of addresses, by state and by owner: the pools of the present cycle and of old ones, of connections, requests and
/// modules, those without an owner, other blocks in use, and what is free between them: what pins a fragmented heap.

#include <nginx/pools.y>
#include <glibc/map.y>

_option long least = 0;          /// chunks below this are drawn with their surroundings; 0: a 20,000th of the heap
_option long search = 268435456; /// bytes of an owner's pool that are looked through for pointers to pools

_view heapmap "Heap" "bytes"
struct glibc_place map[void *, size_t];

// Owners are the kinds of pools and, behind them, these.
#define OTHER NGX_KINDS
#define NOBODY (NGX_KINDS + 1)
// What the chunks of pools are, by address.
uint8_t owner_of[uint64_t];
// The first walk looks for pools, the second draws.
int drawing;

void own(void *block, int kind)
{
    if (block)
        owner_of[(uint64_t)mem2chunk(block)] = kind;
}

/// Notes whose the chunks of a pool are: its blocks, and what is large.
void own_chunks(ngx_pool_t *pool, int kind)
{
    _try {
        ngx_pool_t *block = pool;
        for (uint64_t i = 0; block && i < NGX_MOST_BLOCKS; i++) {
            own(block, kind);
            block = block->d.next;
        }
        ngx_pool_large_t *large = pool->large;
        for (uint64_t i = 0; large && i < NGX_MOST_BLOCKS; i++) {
            own(large->alloc, kind);
            large = large->next;
        }
    } _catch (_fault f) {
        ngx_skipped++;
    }
}

void glibc_on_stretch(uint64_t start, uint64_t end)
{
    if (drawing)
        glibc_map_stretch();
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    if (!drawing) {
        ngx_take_chunk(p, 0);
        return;
    }
    int owner = owner_of[p];
    glibc_map_draw(p, size, GLIBC_MAP_USED, owner ? owner : OTHER);
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    if (drawing)
        glibc_map_draw(p, size, GLIBC_MAP_FREE, NOBODY);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    if (drawing)
        glibc_map_draw(p, size, GLIBC_MAP_CACHED, NOBODY);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    if (drawing)
        glibc_map_draw(p, size, GLIBC_MAP_TOP, NOBODY);
}

void glibc_on_arena_end(void)
{
    if (drawing)
        glibc_map_end();
}

void glibc_on_mapped(uint64_t p, uint64_t size)
{
    if (!drawing)
        ngx_take_chunk(p, 1);
}

_probe _oneshot {
    ngx_cycle_t *cycle = ngx_require_cycle();
    ngx_learn_modules(cycle);
    ngx_learn_places();
    ngx_own_cycle(cycle, NGX_K_CYCLE);
    ngx_scan_pools();
    ngx_find_owners(search);
    _foreach (pool, kind in ngx_pools)
        own_chunks(pool, kind);
    for (int kind = 1; kind < NGX_KINDS; kind++)
        glibc_map_owners[kind] = ngx_kind_name(kind) + " pool";
    glibc_map_owners[OTHER] = "in no pool";
    glibc_map_owners[NOBODY] = "free";

    drawing = 1;
    glibc_map_least = least > 0 ? least : 0;
    glibc_walk();
    _foreach (b in glibc_blocks) {
        int owner = owner_of[b.chunk];
        glibc_map_block(b, owner ? owner : OTHER);
    }
    _foreach ((start, bytes), place in glibc_places)
        map[start, bytes] = place;
    glibc_print_sums();
    glibc_map_say();
    if (ngx_skipped > 0)
        printf("skipped %ld: parts of pools or connections that make no sense\n", ngx_skipped);
    glibc_check();
    printf("next: ytrace run probes/ngx-pools.y -p %ld\n", _pid());
}
