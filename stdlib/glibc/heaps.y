/// The walk of one stretch of chunks at a time, and of the stretches of each arena: the break with what others took from it, and the heaps of the
/// secondary arenas. <glibc/walk.y> puts them together.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_HEAPS_Y
#define GLIBC_HEAPS_Y

#include <glibc/arenas.y>
#include <glibc/cached.y>

/// What one arena holds. All but counts are bytes.
struct glibc_sum {
    /// The arena, and its name: "main", "1", "2", … in the order of malloc_info.
    struct malloc_state *arena;
    _str name;
    /// Heaps of a secondary arena; stretches of memory of the main one.
    long heaps;
    /// What malloc says that it took from the system.
    long system;
    /// Chunks in use, those in threads' caches and in fast bins apart.
    long used, used_chunks;
    long cached, cached_chunks;
    long fast, fast_chunks;
    /// Free chunks as the walk meets them, and as the bins list them (see `glibc_match_bins`).
    long free, free_chunks;
    long listed, listed_chunks;
    /// The chunk at the end that everything else is cut from.
    long top;
    /// Heads of heaps, the arena itself, fenceposts, what aligns the first chunk.
    long other;
    /// What other users of the break took.
    long foreign;
    /// What could not be walked: not readable, or no chunks.
    long skipped;
    /// Sums over the free chunks of what their links lead to, less where they are: of addresses and of their squares, modulo 2^64.
    uint64_t links, squares;
};
struct glibc_sum glibc_sums[];

/// The sum of all arenas.
struct glibc_sum glibc_all;

/// The arena at hand, for the hooks: its number is the index of its sum.
int glibc_arena;

/// Bytes that were met in an arena; to be its `system`.
long glibc_met(struct glibc_sum s)
{
    return s.used + s.cached + s.fast + s.free + s.top + s.other + s.foreign;
}

/// Called for each chunk in use, free chunk, cached chunk (`kind` is GLIBC_CACHED_THREAD or GLIBC_CACHED_FAST) and top, in the order of addresses within a
/// stretch, with its address (of the chunk: the program's block begins 16 bytes later) and size.
__attribute__((weak)) void glibc_on_used(uint64_t p, uint64_t size) { }
__attribute__((weak)) void glibc_on_free(uint64_t p, uint64_t size) { }
__attribute__((weak)) void glibc_on_cached(uint64_t p, uint64_t size, int kind) { }
__attribute__((weak)) void glibc_on_top(uint64_t p, uint64_t size) { }
/// Called for each stretch of memory of an arena, before its chunks: a heap, the break, a segment.
__attribute__((weak)) void glibc_on_stretch(uint64_t start, uint64_t end) { }
/// Called when the chunks of an arena have been walked.
__attribute__((weak)) void glibc_on_arena_end(void) { }
/// Called for each chunk on the list of a bin (1: unsorted), after the arena's chunks, if `glibc_list_bins` is set.
__attribute__((weak)) void glibc_on_listed(uint64_t p, uint64_t size, int bin) { }

/// The heaps of secondary arenas, from start to end, and the size of the areas that they lie in.
uint64_t glibc_heaps[uint64_t];
uint64_t glibc_heap_bytes;
/// The break that the main arena was walked on.
uint64_t glibc_break_start;
uint64_t glibc_break_end;

/// Notes the heaps of an arena.
void glibc_list_heaps(struct malloc_state *m)
{
    _try {
        heap_info *h = glibc_heap_of(m->top);
        for (int i = 0; h && h->ar_ptr == m && h->size <= glibc_heap_bytes && !((uint64_t)h & (glibc_heap_bytes - 1)) && i < GLIBC_MOST_HEAPS; i++) {
            if ((uint64_t)h in glibc_heaps)
                break;
            glibc_heaps[(uint64_t)h] = (uint64_t)h + h->size;
            h = h->prev;
        }
    } _catch (_fault f) {
        // The walk of the heaps counts what is missing.
    }
}

/// The arenas of the process, the main one first; more than `GLIBC_MOST_ARENAS` are not followed.
struct malloc_state *glibc_arenas[];

void glibc_list_arenas(void)
{
    _clear(glibc_arenas);
    _clear(glibc_heaps);
    glibc_heap_bytes = glibc_heap_size();
    int known[struct malloc_state *];
    struct malloc_state *m = glibc_main;
    _try {
        while (m && !(m in known) && _elems(glibc_arenas) < GLIBC_MOST_ARENAS) {
            known[m] = 1;
            _push(glibc_arenas, m);
            if (m != glibc_main)
                glibc_list_heaps(m);
            m = m->next;
        }
    } _catch (_fault f) {
        // The ring leads to where nothing can be read.
    }
    if (m != glibc_main)
        glibc_broken++;
}

// Whether this is the walk that only looks for threads' caches.
int glibc_looking;
// What the walk of the arena at hand has met so far.
struct glibc_sum glibc_now;
// How many stretches of the main arena are walked at most.
#define GLIBC_MOST_STRETCHES 1048576

/// Walks chunks from `p` to `stop`, and gives where it ended: at `stop`, at what is no chunk, or at one that leads to memory that cannot be read.
uint64_t glibc_walk_chunks(uint64_t p, uint64_t stop)
{
    long used = 0;
    long used_chunks = 0;
    long free = 0;
    long free_chunks = 0;
    uint64_t links = 0;
    uint64_t squares = 0;
    _try {
        uint64_t head = p < stop ? chunksize_nomask((struct malloc_chunk *)p) : 0;
        while (p < stop) {
            uint64_t size = head & ~7ul;
            if (size < 32 || (size & 15) || size > stop - p)
                break;
            head = chunksize_nomask((struct malloc_chunk *)(p + size));
            if (!(head & PREV_INUSE)) {
                uint64_t next = (uint64_t)((struct malloc_chunk *)p)->fd;
                links += next - p;
                squares += next * next - p * p;
                free += size;
                free_chunks++;
                glibc_on_free(p, size);
            } else if (glibc_marks[glibc_mark(p)] && p in glibc_cached) {
                int kind = glibc_cached[p];
                if (kind == GLIBC_CACHED_THREAD) {
                    glibc_now.cached += size;
                    glibc_now.cached_chunks++;
                } else {
                    glibc_now.fast += size;
                    glibc_now.fast_chunks++;
                }
                glibc_on_cached(p, size, kind);
            } else {
                used += size;
                used_chunks++;
                glibc_on_used(p, size);
            }
            p += size;
        }
    } _catch (_fault f) {
        // Who asked goes on behind what cannot be read.
    }
    glibc_now.used += used;
    glibc_now.used_chunks += used_chunks;
    glibc_now.free += free;
    glibc_now.free_chunks += free_chunks;
    glibc_now.links += links;
    glibc_now.squares += squares;
    return p;
}

/// The same walk, which only looks for threads' caches, and counts all chunks as in use.
uint64_t glibc_look_at_chunks(uint64_t p, uint64_t stop)
{
##ifdeftype tcache_perthread_struct
    uint64_t from = p;
    _try {
        uint64_t head = p < stop ? chunksize_nomask((struct malloc_chunk *)p) : 0;
        while (p < stop) {
            uint64_t size = head & ~7ul;
            if (size < 32 || (size & 15) || size > stop - p)
                break;
            head = chunksize_nomask((struct malloc_chunk *)(p + size));
            if (glibc_cache_size(size) && (head & PREV_INUSE) && glibc_valid_tcache((tcache_perthread_struct *)(p + CHUNK_HDR_SZ)) == 1)
                glibc_try_tcache(p);
            p += size;
        }
    } _catch (_fault f) {
        // The same.
    }
    glibc_now.used += p - from;
##endif
    return p;
}

/// Where fenceposts at `p` end: chunks of the size of a head that malloc puts where a stretch ends; `p` if there are none.
uint64_t glibc_skip_fence(uint64_t p, uint64_t end)
{
    _try {
        for (int i = 0; i < 3 && p + CHUNK_HDR_SZ <= end; i++) {
            uint64_t head = chunksize_nomask((struct malloc_chunk *)p);
            // What was left before the first is free, as a rule.
            if ((head & ~7ul) != CHUNK_HDR_SZ || (i > 0 && !(head & PREV_INUSE)))
                break;
            p += CHUNK_HDR_SZ;
        }
    } _catch (_fault f) {
        // The stretch ends with the mapping.
    }
    return p;
}

/// Whether chunks of the arena at hand begin at `p`: they go on to the top, or to fenceposts, or for as many as are looked at.
int glibc_chunks_begin(uint64_t p, uint64_t end, uint64_t top, int most)
{
    _try {
        for (int i = 0; i < most; i++) {
            if (p == top)
                return 1;
            if (p + CHUNK_HDR_SZ > end)
                return 0;
            uint64_t head = chunksize_nomask((struct malloc_chunk *)p);
            uint64_t size = head & ~7ul;
            if (i == 0 && !(head & PREV_INUSE))
                return 0;
            if (size == CHUNK_HDR_SZ && i > 0)
                return glibc_skip_fence(p, end) >= p + 2 * CHUNK_HDR_SZ;
            if (head & IS_MMAPPED || (head & NON_MAIN_ARENA && glibc_now.arena == glibc_main) || size < MINSIZE || !glibc_aligned(size) || size > end - p)
                return 0;
            p += size;
        }
        return 1;
    } _catch (_fault f) {
        return 0;
    }
}

// After so much damage in one stretch the rest of it is left out.
#define GLIBC_MOST_DAMAGE 10000

/// The walk of one stretch. Where something is no chunk and no fencepost, it goes on at the next place from which chunks lead on, and counts what it skipped.
uint64_t glibc_walk_stretch(uint64_t p, uint64_t stop)
{
    for (int i = 0; i < GLIBC_MOST_DAMAGE; i++) {
        p = glibc_looking ? glibc_look_at_chunks(p, stop) : glibc_walk_chunks(p, stop);
        if (p >= stop || glibc_skip_fence(p, stop) > p)
            return p;
        uint64_t next = p + MALLOC_ALIGNMENT;
        while (next < stop && !glibc_chunks_begin(next, stop, stop, 16)) {
            if (_readable((void *)next, CHUNK_HDR_SZ))
                next += MALLOC_ALIGNMENT;
            else
                next = (next | glibc_page - 1) + 1;
        }
        if (next > stop)
            next = stop;
        if (!glibc_looking)
            glibc_now.skipped += next - p;
        p = next;
    }
    return p;
}

/// The end of the memory that can be read and written without a gap from `p` on; `p` if none can.
uint64_t glibc_end_of(uint64_t p)
{
    uint64_t end = p;
    for (long i = 0; i < _elems(glibc_maps); i++)
        if (glibc_maps[i].start <= end && end < glibc_maps[i].end && (glibc_maps[i].flags & GLIBC_MAP_DATA) == GLIBC_MAP_DATA)
            end = glibc_maps[i].end;
    return end;
}

/// Adds the top chunk of a stretch that ends at `end`; gives its size.
uint64_t glibc_take_top(struct malloc_chunk *top, uint64_t end)
{
    uint64_t size = chunksize(top);
    if (size > end - (uint64_t)top)
        size = end - (uint64_t)top;
    glibc_now.top += size;
    if (!glibc_looking)
        glibc_on_top((uint64_t)top, size);
    return size;
}

/// Walks one stretch of the main arena, which may hold several, one behind the other; gives where its last one ends.
uint64_t glibc_walk_main_from(uint64_t p, uint64_t end, uint64_t top)
{
    int has_top = top >= p && top < end;
    uint64_t stop = has_top ? top : end;
    for (int i = 0; i < GLIBC_MOST_STRETCHES; i++) {
        glibc_now.heaps++;
        uint64_t from = p;
        glibc_on_stretch(p, end);
        p = glibc_walk_stretch(p, stop);
        if (p == stop)
            break;
        uint64_t fence = glibc_skip_fence(p, stop);
        if (fence == p) {
            // Not readable, or no chunk: where chunks begin again is not known.
            if (has_top && !glibc_looking)
                glibc_now.skipped += stop - p;
            p = has_top ? stop : p;
            break;
        }
        glibc_now.other += fence - p;
        p = fence;
        // Behind the fenceposts is what others took from the break, and then the next stretch.
        uint64_t next = p;
        if (!has_top && glibc_main->flags & NONCONTIGUOUS_BIT && p + MINSIZE > end)
            break;
        while (next < stop && !glibc_chunks_begin(next, end, top, 64))
            next += MALLOC_ALIGNMENT;
        if (next >= stop && !has_top)
            break;
        glibc_now.foreign += next - p;
        p = next;
        if (p == stop)
            break;
    }
    return has_top && p == top ? p + glibc_take_top(glibc_main->top, end) : p;
}

/// Walks the main arena from where malloc first moved the break.
void glibc_walk_break(void)
{
    uint64_t base = (uint64_t)glibc_par->sbrk_base;
    if (!base)
        return;
    uint64_t p = glibc_align(base);
    glibc_now.other += p - base;
    glibc_break_start = p;
    glibc_break_end = glibc_end_of(p);
    glibc_walk_main_from(p, glibc_break_end, (uint64_t)glibc_main->top);
}

/// Walks a segment that the main arena mapped; gives where it ends.
uint64_t glibc_walk_segment(uint64_t p, uint64_t end)
{
    uint64_t top = (uint64_t)glibc_main->top;
    int has_top = top >= p && top < end;
    glibc_now.heaps++;
    glibc_on_stretch(p, end);
    p = glibc_walk_stretch(p, has_top ? top : end);
    if (has_top && p == top)
        return p + glibc_take_top(glibc_main->top, end);
    uint64_t fence = glibc_skip_fence(p, end);
    glibc_now.other += fence - p;
    return fence;
}

/// Walks the heaps of a secondary arena, the newest first, which holds the top.
void glibc_walk_heaps(struct malloc_state *m)
{
    uint64_t top = (uint64_t)m->top;
    heap_info *h = glibc_heap_of(m->top);
    heap_info *newest = h;
    for (int i = 0; h && i < GLIBC_MOST_HEAPS; i++) {
        uint64_t start = (uint64_t)h;
        uint64_t size;
        heap_info *prev;
        _try {
            size = h->size;
            prev = h->prev;
            if (h->ar_ptr != m || size > glibc_heap_size() || size < sizeof(heap_info) || ((uint64_t)prev & (glibc_heap_size() - 1)))
                break;
        } _catch (_fault f) {
            break;
        }
        uint64_t end = start + size;
        uint64_t p = start + sizeof(heap_info);
        if (glibc_heap_of(m) == h)
            p = glibc_align((char *)m + sizeof(struct malloc_state));
        glibc_now.heaps++;
        glibc_now.other += p - start;
        glibc_on_stretch(start, end);
        uint64_t stop = h == newest ? top : end;
        p = glibc_walk_stretch(p, stop);
        if (p == top) {
            uint64_t rest = glibc_take_top(m->top, end);
            glibc_now.skipped += end - top - rest;
        } else {
            // Fenceposts: a head's size, and behind it a head of size 0.
            uint64_t fence = glibc_skip_fence(p, end);
            if (fence > p && fence + CHUNK_HDR_SZ == end)
                fence = end;
            glibc_now.other += fence - p;
            glibc_now.skipped += end - fence;
        }
        if (prev == h)
            break;
        h = prev;
    }
}

#endif
