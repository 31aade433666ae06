/// Walks all chunks of glibc's malloc: the main arena from `mp_.sbrk_base` to its top, across what others took from the break and in the segments that it
/// maps where the break cannot move; the heaps of the other arenas; and the chunks that are mapped directly. Every sum is held against what malloc
/// counts itself.
///
/// `glibc_walk()` fills `glibc_sums`. A probe that wants each chunk defines `glibc_on_used`, `glibc_on_free`, … (<glibc/heaps.y>), which are called on
/// the way.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_WALK_Y
#define GLIBC_WALK_Y

#include <glibc/heaps.y>
#include <glibc/mapped.y>

/// Whether bins are followed, chunk by chunk, even where sums tell that they hold what was walked. Following a list reads all over the heap.
_Bool glibc_list_bins;

/// Holds the free chunks that were walked against the bins. The bins and the chunks in them form rings: what all their links lead to are, in another order, the
/// bins and chunks themselves, so both have the same sum, and the same sum of squares. Only where they differ are the lists followed.
void glibc_match_bins(struct malloc_state *m)
{
    uint64_t links = glibc_now.links;
    uint64_t squares = glibc_now.squares;
    _try {
        for (int i = 1; i < NBINS; i++) {
            uint64_t b = (uint64_t)bin_at(m, i);
            uint64_t next = (uint64_t)((struct malloc_chunk *)b)->fd;
            links += next - b;
            squares += next * next - b * b;
        }
    } _catch (_fault f) {
        links = 1;
    }
    if (glibc_list_bins || links || squares) {
        glibc_walk_bins(m);
    } else {
        glibc_now.listed = glibc_now.free;
        glibc_now.listed_chunks = glibc_now.free_chunks;
    }
}

/// Adds what the bins of an arena list.
void glibc_walk_bins(struct malloc_state *m)
{
    long most = m->system_mem / MINSIZE + 1;
    for (int i = 1; i < NBINS; i++) {
        struct malloc_chunk *b = bin_at(m, i);
        _try {
            long n = 0;
            for (struct malloc_chunk *p = b->fd; p != b; p = p->fd) {
                uint64_t size = chunksize(p);
                if (n++ >= most || !glibc_pointer(p) || size < MINSIZE || size > m->system_mem) {
                    glibc_broken++;
                    break;
                }
                glibc_now.listed += size;
                glibc_now.listed_chunks++;
                glibc_on_listed((uint64_t)p, size, i);
            }
        } _catch (_fault f) {
            glibc_broken++;
        }
    }
}

/// Finds the threads' caches by what they look like: first in the first chunk of each arena, then, if there are more threads, everywhere.
void glibc_look_for_caches(void)
{
##ifdeftype tcache_perthread_struct
    glibc_caches_found = "search";
    uint64_t first[];
    _push(first, glibc_align(glibc_par->sbrk_base));
    for (long i = 1; i < _elems(glibc_arenas); i++)
        _push(first, glibc_align((char *)glibc_arenas[i] + sizeof(struct malloc_state)));
    _foreach (p in first) {
        _try {
            if (p && glibc_cache_size(chunksize((struct malloc_chunk *)p)))
                glibc_try_tcache(p);
        } _catch (_fault f) {
            // An arena that has nothing yet.
        }
    }
    if (glibc_caches >= _elems(_threads()))
        return;
    glibc_looking = 1;
    struct glibc_sum nothing;
    for (long i = 0; i < _elems(glibc_arenas); i++) {
        glibc_now = nothing;
        glibc_now.arena = glibc_arenas[i];
        if (i == 0) {
            glibc_walk_break();
            glibc_walk_mapped();
        } else {
            glibc_walk_heaps(glibc_arenas[i]);
        }
    }
    glibc_looking = 0;
##endif
}

void glibc_add_to_all(struct glibc_sum s)
{
    glibc_all.heaps += s.heaps;
    glibc_all.system += s.system;
    glibc_all.used += s.used;
    glibc_all.used_chunks += s.used_chunks;
    glibc_all.cached += s.cached;
    glibc_all.cached_chunks += s.cached_chunks;
    glibc_all.fast += s.fast;
    glibc_all.fast_chunks += s.fast_chunks;
    glibc_all.free += s.free;
    glibc_all.free_chunks += s.free_chunks;
    glibc_all.listed += s.listed;
    glibc_all.listed_chunks += s.listed_chunks;
    glibc_all.top += s.top;
    glibc_all.other += s.other;
    glibc_all.foreign += s.foreign;
    glibc_all.skipped += s.skipped;
}

/// Walks everything, as often as it is called. Ends the run with an explanation if there is no heap.
void glibc_walk(void)
{
    glibc_attach();
    _clear(glibc_sums);
    _clear(glibc_cached);
    _clear(glibc_caches_known);
    glibc_caches = 0;
    struct glibc_sum nothing;
    glibc_all = nothing;
    glibc_all.name = "all";
    glibc_broken = 0;
    glibc_list_arenas();
    if (!glibc_add_thread_caches())
        glibc_look_for_caches();
    for (long i = 0; i < _elems(glibc_arenas); i++)
        glibc_add_fast(glibc_arenas[i]);
    for (long i = 0; i < _elems(glibc_arenas); i++) {
        struct malloc_state *m = glibc_arenas[i];
        glibc_arena = i;
        glibc_now = nothing;
        glibc_now.arena = m;
        glibc_now.system = m->system_mem;
        if (i == 0) {
            glibc_now.name = "main";
            glibc_walk_break();
            glibc_walk_mapped();
        } else {
            glibc_now.name = sprintf("%ld", i);
            glibc_walk_heaps(m);
        }
        glibc_on_arena_end();
        glibc_match_bins(m);
        _push(glibc_sums, glibc_now);
        glibc_add_to_all(glibc_now);
    }
}

#endif
