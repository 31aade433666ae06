#!/usr/bin/env -S ytrace run
/// The shared memory zones of an nginx process: whose they are, how much of each is loaded, what is in them.
///
/// `loaded` is what the kernel holds for a zone, whichever process has used it; `here` is what this process has touched. Pages and objects are those of
/// the zone's slab pool, counted page by page and held against the pool's own statistics. Other workers may change a zone while it is looked at: a
/// small difference on a busy server says no more than that. The nodes of caches and of request limits tell when they were used last; those of shared
/// dictionaries only when they expire.

#include <nginx/shm.y>
#include <linux/resident.y>

_option _Bool classes = true;   /// show the size classes
_option long entries = 1000000; /// how many entries of each zone are looked at for their ages

struct zone_row {
    _str zone;
    _str owner;
    long size_bytes;
    double loaded_bytes; // UNKNOWN where the kernel does not tell
    double here_bytes;   // UNKNOWN in a core file
    long used_bytes;
    long free_bytes;
    long failed;
};

struct class_row {
    _str zone;
    long slot_bytes;
    long pages;
    long used;
    long free;
    long requests;
    long failed;
};

struct use_row {
    _str zone;
    _str what;
    long entries;
    long expired;
    _str newest;
    _str oldest;
    _str least_recent_expires;
};

_view table "Zones" "" struct zone_row zones[];
_view table "Least recent use" "" struct use_row uses[];
_view table "Slab classes in use" "" struct class_row slots[];

/// What is counted in the pages of all zones, and what the slab pools say of themselves.
long counted[4], said[4];

/// Holds what is counted in one zone against what the zone says. Where they differ the zone gets a line of its own.
void check(int which, _str what, _str zone, long count, long say)
{
    counted[which] += count;
    said[which] += say;
    if (count != say)
        _assert_equal(what + " of " + zone, count, say);
}

/// A duration in milliseconds, for people.
_str span(long ms)
{
    return sprintf("%hT", ms * 1000000);
}

/// Sums over all zones, in bytes.
long size_of_all, loaded_of_all, here_of_all;
/// Zones of which the kernel does not tell what is loaded, and requests for memory that failed.
long unknown_zones, failed_requests;

/// Adds one zone to all tables.
void add_zone(ngx_shm_zone_t *shm)
{
    struct ngx_zone z = ngx_walk_zone(shm);
    long held = _object_bytes((void *)z.address);
    struct zone_row row;
    row.zone = z.name;
    row.owner = z.owner;
    row.size_bytes = z.size;
    // A zone may be cut into several mappings.
    long here = _resident((void *)z.address, (z.size + _page_size() - 1) & ~(_page_size() - 1));
    row.loaded_bytes = held < 0 ? UNKNOWN : (double)held;
    row.here_bytes = here >= 0 ? (double)here : UNKNOWN;
    if (z.slab) {
        row.used_bytes = (z.pages - z.free_pages) * ngx_page_bytes + z.overhead;
        row.free_bytes = z.free_pages * ngx_page_bytes;
    }
    row.failed = z.failed;
    _push(zones, row);
    size_of_all += z.size;
    here_of_all += here > 0 ? here : 0;
    failed_requests += z.failed;
    ngx_skipped += z.strange;
    if (held < 0)
        unknown_zones++;
    else
        loaded_of_all += held;
    if (!z.slab)
        return;
    check(0, "pages", z.name, z.free_pages + z.whole_pages + z.slot_pages + z.strange, z.pages);
    check(1, "free pages", z.name, z.free_pages, z.pfree);
    long walked_total = 0, total = 0, walked_used = 0, used = 0;
    for (int c = 0; c < ngx_nclasses; c++) {
        struct ngx_slab_class k = ngx_classes[c];
        walked_total += k.walked_total;
        total += k.total;
        walked_used += k.walked_used;
        used += k.used;
        if (classes && (k.pages > 0 || k.requests > 0))
            _push(slots, (struct class_row){ z.name, (long)k.size, (long)k.pages, (long)k.walked_used, (long)(k.walked_total - k.walked_used),
                (long)k.requests, (long)k.failed });
    }
    check(2, "slots", z.name, walked_total, total);
    check(3, "slots in use", z.name, walked_used, used);
    struct ngx_zone_use u = ngx_walk_use(shm, z.owner, entries < 0 ? 0 : entries);
    ngx_skipped += u.broken;
    if (u.what == "")
        return;
    struct use_row use;
    use.zone = z.name;
    use.what = u.what;
    use.entries = u.entries;
    use.expired = u.expired;
    use.newest = u.newest < 0 ? "" : span(u.newest);
    use.oldest = u.oldest < 0 ? "" : span(u.oldest);
    use.least_recent_expires =
        u.expiring == 0 || u.next_expiry < -1000000000000 ? "never" : u.next_expiry < 0 ? span(-u.next_expiry) + " ago" : "in " + span(u.next_expiry);
    _push(uses, use);
}

_probe _oneshot {
    ngx_cycle_t *cycle = ngx_require_cycle();
    ngx_learn_modules(cycle);
    ngx_learn_clocks();

    _try {
        ngx_list_part_t *part = &cycle->shared_memory.part;
        for (long parts = 0; part && parts < 10000; parts++) {
            uint64_t n = part->nelts;
            if (n > 100000)
                _raise("a list of zones of %lu elements", n);
            for (uint64_t i = 0; i < n; i++) {
                _try {
                    ngx_shm_zone_t *shm = &((ngx_shm_zone_t *)part->elts)[i];
                    if (shm->shm.addr)
                        add_zone(shm);
                } _catch (_fault f) {
                    ngx_skipped++;
                }
            }
            part = part->next;
        }
    } _catch (_fault f) {
        ngx_skipped++;
    }
    _sort(zones _by x.size_bytes _desc);

    if (_is_live())
        printf("nginx %s   loaded %hB of %hB in %ld zones; touched by this process %hB\n", ngx_version_text(cycle), loaded_of_all, size_of_all, _elems(zones),
               here_of_all);
    else
        printf("nginx %s   %hB in %ld zones; how much of them was loaded is unknown\n", ngx_version_text(cycle), size_of_all, _elems(zones));
    if (unknown_zones > 0 && _is_live())
        printf("! of %ld zones it is not known how much is loaded: that takes root, or CAP_CHECKPOINT_RESTORE\n", unknown_zones);
    if (failed_requests > 0)
        printf("! %ld requests for memory failed: the `failed` column says where\n", failed_requests);
    _assert_equal("pages of all slab pools", counted[0], said[0]);
    _assert_equal("free pages", counted[1], said[1]);
    _assert_equal("slots", counted[2], said[2]);
    _assert_equal("slots in use", counted[3], said[3]);
    if (ngx_skipped > 0) {
        printf("skipped %ld: pages, links or parts of lists that make no sense\n", ngx_skipped);
        _assert_equal("skipped", ngx_skipped, 0);
    }
}
