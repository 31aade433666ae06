/// The slab pool of each shared zone: its pages by kind, and its free pages as the pool counts them.
#include <nginx/c.y>

_probe _oneshot {
    size_t             size;
    ngx_uint_t         i, n, slots, kinds[4];
    ngx_list_part_t   *part;
    ngx_shm_zone_t    *zone;
    ngx_slab_pool_t   *pool;
    ngx_slab_page_t   *page, *slot;

    for (part = &ngx_cycle->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            pool = (ngx_slab_pool_t *) zone[i].shm.addr;

            if ((void *) pool->addr != (void *) pool) {
                printf("%.*s: not a slab pool\n", (int) zone[i].shm.name.len, zone[i].shm.name.data);
                continue;
            }

            n = 0;
            for (page = pool->free.next; page != &pool->free; page = page->next) {
                n += page->slab;
            }

            kinds[0] = kinds[1] = kinds[2] = kinds[3] = 0;
            slot = ngx_slab_slots(pool);
            slots = ngx_pagesize_shift - pool->min_shift;

            for (size = 0; size < slots; size++) {
                for (page = slot[size].next; page != &slot[size]; page = page->next) {
                    kinds[ngx_slab_page_type(page)]++;
                    if (ngx_slab_page_addr(pool, page) < (uintptr_t) pool->start || ngx_slab_page_addr(pool, page) >= (uintptr_t) pool->end)
                        _error("a page outside of its pool");
                    if (ngx_slab_page_prev(page) == NULL)
                        _error("a page with nothing before it");
                }
            }

            printf("%.*s %s%s\n", (int) zone[i].shm.name.len, zone[i].shm.name.data, n == pool->pfree ? "free" : "differs",
                   kinds[NGX_SLAB_SMALL] + kinds[NGX_SLAB_EXACT] + kinds[NGX_SLAB_BIG] > 0 ? " partial" : "");
        }
    }
}
