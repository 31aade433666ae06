/// nginx's shared memory zones: their slab pools, page by page, and the queues of least recent use of shared dictionaries, request limits and caches.

#ifndef NGINX_SHM_Y
#define NGINX_SHM_Y

#include <nginx/cycle.y>

// What lies in zones, where no debug information says it. The nodes of ngx_lua's dictionaries are those of 0.10.x, the others those of nginx 1.19.1 and later.
##ifndeftype ngx_queue_t
typedef struct ngx_queue_s ngx_queue_t;
struct ngx_queue_s { ngx_queue_t *prev; ngx_queue_t *next; };
##endif
##ifndeftype ngx_http_lua_shdict_node_t
typedef struct {
    unsigned char color; uint8_t value_type; unsigned short key_len; uint32_t value_len; uint64_t expires; ngx_queue_t queue; uint32_t user_flags;
    unsigned char data[1];
} ngx_http_lua_shdict_node_t;
##endif
##ifndeftype ngx_http_limit_req_node_t
typedef struct {
    unsigned char color; unsigned char dummy; unsigned short len; ngx_queue_t queue; unsigned long last; unsigned long excess; unsigned long count;
    unsigned char data[1];
} ngx_http_limit_req_node_t;
##endif
##ifndeftype ngx_http_file_cache_node_t
typedef struct {
    uint8_t node[40]; ngx_queue_t queue; unsigned char key[8]; unsigned count : 20; unsigned uses : 10; unsigned valid_msec : 10; unsigned error : 10;
    unsigned flags : 4; unsigned long uniq; long expire; long valid_sec; size_t body_start; long fs_size; unsigned long lock_time;
} ngx_http_file_cache_node_t;
##endif
##ifndeftype ngx_http_file_cache_t
typedef struct { void *sh; void *shpool; void *path; long max_size; long min_free; size_t bsize; long inactive; } ngx_http_file_cache_t;
##endif
/// What the pool's data is in all three: a tree with its sentinel, then the queue, the most recently used first.
struct ngx_zone_data {
    uint8_t tree[24];
    uint8_t sentinel[40];
    ngx_queue_t queue;
};

/// One size class of a slab pool. `walked_…` is what its pages say, the rest what its statistics say.
struct ngx_slab_class {
    uint64_t size;
    uint64_t pages;
    uint64_t total;
    uint64_t used;
    uint64_t requests;
    uint64_t failed;
    uint64_t walked_total;
    uint64_t walked_used;
};

/// A zone.
struct ngx_zone {
    _str name;
    _str owner;
    uint64_t address;
    uint64_t size;
    int slab;             // whether a slab pool is in it
    uint64_t pages;       // of the pool
    uint64_t free_pages;  // as its pages say
    uint64_t pfree;       // as the pool counts them
    uint64_t whole_pages; // given out as such
    uint64_t slot_pages;  // cut into slots
    uint64_t strange;     // pages that make no sense
    uint64_t failed;      // requests of all classes that failed
    uint64_t overhead;    // the pool's own structures, in bytes
};

#define NGX_CLASSES 32
struct ngx_slab_class ngx_classes[NGX_CLASSES];
int ngx_nclasses;

#define NGX_SLAB_TYPE 3ul
#define NGX_SLAB_RUN 0x8000000000000000ul

int ngx_bits(uint64_t w)
{
    int n = 0;
    for (; w; w &= w - 1)
        n++;
    return n;
}

/// How many slots of a page of the smallest sizes are in use, by the bitmap at its start, which has slots of its own.
uint64_t ngx_small_used(uint64_t page, uint64_t shift)
{
    uint64_t slots = ngx_page_bytes >> shift;
    uint64_t used = 0;
    for (uint64_t i = 0; i < (slots + 63) / 64; i++)
        used += ngx_bits(((uint64_t *)page)[i]);
    uint64_t own = (slots / 8) >> shift;
    if (own == 0)
        own = 1;
    return used > own ? used - own : 0;
}

/// Walks the pages of a slab pool and fills `ngx_classes`. What makes no sense is counted.
void ngx_walk_slab(ngx_slab_pool_t *pool, struct ngx_zone out[int])
{
    struct ngx_zone z = out[0];
    uint64_t shift = 0;
    while (1ul << shift < ngx_page_bytes)
        shift++;
    uint64_t exact_shift = shift - 6;
    ngx_nclasses = 0;
    if (pool->min_shift < 3 || pool->min_shift >= shift) {
        z.strange++;
        out[0] = z;
        return;
    }
    ngx_nclasses = shift - pool->min_shift;
    for (int i = 0; i < ngx_nclasses; i++) {
        struct ngx_slab_class c;
        ngx_slab_stat_t *stat = &pool->stats[i];
        c.size = 1ul << (pool->min_shift + i);
        c.total = stat->total;
        c.used = stat->used;
        c.requests = stat->reqs;
        c.failed = stat->fails;
        z.failed += c.failed;
        ngx_classes[i] = c;
    }
    uint64_t start = (uint64_t)pool->start;
    uint64_t n = ((uint64_t)pool->end - start) >> shift;
    uint64_t recorded = pool->last - pool->pages;
    if (start < z.address || start > z.address + z.size || (uint64_t)pool->end > z.address + z.size || recorded > n ||
        (uint64_t)pool->pages < z.address || (uint64_t)pool->last > z.address + z.size) {
        z.strange++;
        out[0] = z;
        return;
    }
    z.pages = recorded;
    z.pfree = pool->pfree;
    z.overhead = start - z.address;
    for (uint64_t i = 0; i < recorded;) {
        ngx_slab_page_t *page = &pool->pages[i];
        uint64_t slab = page->slab;
        int type = page->prev & NGX_SLAB_TYPE;
        uint64_t class_shift = 0;
        uint64_t used = 0;
        switch (type) {
        case 0:
            if (slab == ~0ul || slab == 0) {
                z.strange++;
                i++;
            } else if (slab & NGX_SLAB_RUN) {
                uint64_t run = slab & ~NGX_SLAB_RUN;
                if (run == 0 || run > recorded - i)
                    run = recorded - i;
                z.whole_pages += run;
                i += run;
            } else {
                uint64_t run = slab > recorded - i ? recorded - i : slab;
                z.free_pages += run;
                i += run;
            }
            continue;
        case 1: // big: the shift and 32 bits of a map
            class_shift = slab & 15;
            used = ngx_bits(slab >> 32);
            break;
        case 2: // exact: a map
            class_shift = exact_shift;
            used = ngx_bits(slab);
            break;
        case 3: // small: the shift; the map stands in the page
            class_shift = slab & 15;
            if (class_shift >= pool->min_shift && class_shift < exact_shift)
                used = ngx_small_used(start + (i << shift), class_shift);
            break;
        }
        z.slot_pages++;
        i++;
        if (class_shift < pool->min_shift || class_shift >= shift) {
            z.strange++;
            continue;
        }
        uint64_t slots = ngx_page_bytes >> class_shift;
        if (type == 3) {
            uint64_t own = (slots / 8) >> class_shift;
            slots -= own ? own : 1;
        }
        struct ngx_slab_class c = ngx_classes[class_shift - pool->min_shift];
        c.pages++;
        c.walked_total += slots;
        c.walked_used += used;
        ngx_classes[class_shift - pool->min_shift] = c;
    }
    out[0] = z;
}

/// The zone of one element of the cycle's list; `ngx_classes` are its size classes.
struct ngx_zone ngx_walk_zone(ngx_shm_zone_t *shm)
{
    struct ngx_zone z[int];
    struct ngx_zone first;
    uint64_t length = shm->shm.name.len;
    _try {
        first.name = _tostr((char *)shm->shm.name.data, length < 128 ? length : 128);
    } _catch (_fault f) {
        first.name = "?";
        first.strange++;
    }
    first.owner = ngx_module_name(shm->tag);
    first.address = (uint64_t)shm->shm.addr;
    first.size = shm->shm.size;
    z[0] = first;
    ngx_nclasses = 0;
    _try {
        ngx_slab_pool_t *pool = (ngx_slab_pool_t *)shm->shm.addr;
        // Some modules lay out their zones themselves.
        if (pool && shm->shm.size >= sizeof(ngx_slab_pool_t) && (void *)pool->addr == (void *)pool) {
            first.slab = 1;
            z[0] = first;
            ngx_walk_slab(pool, z);
        } else if (pool && _isprefix(first.owner, "ngx_")) {
            // nginx makes a pool of each zone, and its own modules keep it: this one is damaged.
            first.strange++;
            z[0] = first;
        }
    } _catch (_fault f) {
        first = z[0];
        first.strange++;
        z[0] = first;
    }
    return z[0];
}

/// The entries of a zone by least recent use. Ages are in milliseconds; -1 where there is none.
struct ngx_zone_use {
    _str what; // "dictionary", "request limit", "cache"; "" if the zone has no such queue
    uint64_t entries;
    uint64_t expired;
    uint64_t expiring; // entries that expire at all
    long newest;       // since the most recent use
    long oldest;       // since the least recent
    long next_expiry;  // until the least recently used one expires; below 0 if it has
    uint64_t broken;   // links of the queue that do not fit
};

/// Goes through the queue of a zone, at most `most` entries.
struct ngx_zone_use ngx_walk_use(ngx_shm_zone_t *shm, _str owner, uint64_t most)
{
    struct ngx_zone_use u;
    u.newest = u.oldest = -1;
    int kind = owner == "ngx_http_lua_module" || owner == "ngx_stream_lua_module" ? 1 :
               owner == "ngx_http_limit_req_module" ? 2 :
               owner == "ngx_http_proxy_module" || owner == "ngx_http_fastcgi_module" || owner == "ngx_http_uwsgi_module" || owner == "ngx_http_scgi_module" ?
               3 :
               0;
    if (!kind)
        return u;
    _try {
        uint64_t low = (uint64_t)shm->shm.addr;
        uint64_t high = low + shm->shm.size;
        ngx_slab_pool_t *pool = (ngx_slab_pool_t *)shm->shm.addr;
        struct ngx_zone_data *data = (struct ngx_zone_data *)pool->data;
        if ((uint64_t)data < low || (uint64_t)data + sizeof(struct ngx_zone_data) > high)
            return u;
        u.what = kind == 1 ? "dictionary" : kind == 2 ? "request limit" : "cache";
        long inactive = kind == 3 ? ((ngx_http_file_cache_t *)shm->data)->inactive * 1000 : 0;
        ngx_queue_t *head = &data->queue;
        ngx_queue_t *before = head;
        ngx_queue_t *q = head->next;
        while (q != head && u.entries < most) {
            if ((uint64_t)q < low || (uint64_t)q >= high || q->prev != before) {
                u.broken++;
                break;
            }
            u.entries++;
            long age = -1;
            long expiry = 0;
            long expires = 0;
            if (kind == 1) {
                ngx_http_lua_shdict_node_t *node = _container_of(q, ngx_http_lua_shdict_node_t, queue);
                expires = node->expires > 0;
                expiry = (long)node->expires - ngx_wall_ms;
            } else if (kind == 2) {
                ngx_http_limit_req_node_t *node = _container_of(q, ngx_http_limit_req_node_t, queue);
                age = ngx_timer_ms - (long)node->last;
            } else {
                ngx_http_file_cache_node_t *node = _container_of(q, ngx_http_file_cache_node_t, queue);
                expires = 1;
                expiry = node->expire * 1000 - ngx_wall_ms;
                age = inactive - expiry;
            }
            if (u.entries == 1)
                u.newest = age;
            u.oldest = age;
            u.expiring += expires;
            u.expired += expires && expiry < 0;
            u.next_expiry = expiry;
            before = q;
            q = q->next;
        }
    } _catch (_fault f) {
        u.broken++;
    }
    return u;
}

#endif
