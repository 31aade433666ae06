/// Whether blocks that were seen being allocated are still held: asked of the heap, while the target runs on. No free is followed for that.
///
/// A probe keeps what `glibc_header` gave when a block was allocated. Later it calls `glibc_look` once, and `glibc_held` for each block.
/// malloc/malloc.c of glibc 2.12 to 2.43: a free chunk is on a list of a thread's cache or of a fast bin, or part of a larger one. Then the head of that one
/// stands where its own did, or the head of the chunk that follows says that it is free, or what is left of its own head does not fit to the chunk before it.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_HELD_Y
#define GLIBC_HELD_Y

#include <glibc/block.y>
#include <glibc/walk.y>

/// The head of a block's chunk, which is one word in front of it; 0 for what can be no block. It is read at one place, and so usable at a hit.
size_t glibc_header(void *p)
{
    size_t *header = (size_t *)p - 1;
    if (!p || !_readable(header, sizeof *header))
        return 0;
    return *header;
}

// Caches of threads that were found, for how many threads they were looked for in the whole heap, and how often since.
uint64_t glibc_caches_seen[];
long glibc_caches_for, glibc_caches_sought;
#define GLIBC_MOST_SEARCHES 8

/// What arenas have at their ends, from which everything else is cut.
struct glibc_top {
    uint64_t start, end;
};
struct glibc_top glibc_tops[struct malloc_state *];

/// Notes the top of an arena. One that has moved to where nothing was mapped a moment ago has none of the blocks that were seen before.
void glibc_take_top_of(struct malloc_state *m)
{
    glibc_tops[m].start = glibc_tops[m].end = (uint64_t)m->top;
    _try {
        glibc_tops[m].end += chunksize(m->top);
    } _catch (_fault f) {
        return;
    }
}

/// Looks for the caches of threads that are not known yet. What changes meanwhile may hide some from it.
void glibc_seek_caches(void)
{
    _try {
        glibc_take_maps();
        if (!glibc_add_thread_caches())
            glibc_look_for_caches();
    } _catch (_fault f) {
        glibc_looking = 0;
    }
    _clear(glibc_caches_seen);
    _foreach (cache in glibc_caches_known)
        _push(glibc_caches_seen, cache);
}

/// The same as `glibc_look`, which may end in a fault where the heap changes.
void glibc_take_lists(void)
{
    if (!glibc_main)
        glibc_attach();
    _clear(glibc_cached);
    _clear(glibc_caches_known);
    glibc_caches = 0;
    glibc_list_arenas();
##ifdeftype tcache_perthread_struct
    // While the target runs on, a list is seldom as long as its count says, so what was found once is not held against that again.
    _foreach (i, cache in glibc_caches_seen)
        _try {
            if (glibc_cache_size(chunksize(mem2chunk(cache))))
                glibc_add_tcache((tcache_perthread_struct *)cache);
        } _catch (_fault f) {
            // Its thread has ended.
        }
    // For the same reason one is not always found; and a thread that has cached nothing yet has none.
    long threads = _elems(_threads());
    if (threads != glibc_caches_for)
        glibc_caches_sought = 0;
    glibc_caches_for = threads;
    if (glibc_caches < threads && glibc_caches_sought++ < GLIBC_MOST_SEARCHES)
        glibc_seek_caches();
##endif
    _clear(glibc_tops);
    for (long i = 0; i < _elems(glibc_arenas); i++) {
        glibc_add_fast(glibc_arenas[i]);
        glibc_take_top_of(glibc_arenas[i]);
    }
}

/// Takes the lists of what is free and looks used. Gives 0 if they cannot be read: the process has no memory any more, or its heap has changed each time.
int glibc_look(void)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        _try {
            glibc_take_lists();
            return 1;
        } _catch (_fault f) {
            // What is mapped has changed meanwhile.
        }
    }
    return 0;
}

/// Whether two heads are of the same chunk: what they say of the chunk before is of no interest.
#define glibc_same(a, b) ((a) && !(((a) ^ (b)) & ~1ul))

// Where chunks begin (1), or, inside of larger ones, do not (0), of those that were asked for.
int glibc_starts[uint64_t];
// A walk over so many chunks is enough for one look; one that could begin farther ahead than this skips what is between.
#define GLIBC_MOST_STEPS (1l << 24)
#define GLIBC_FAR (1ul << 20)
// So many chunks of a bin are places to begin at.
#define GLIBC_MOST_OF_BIN 1024

/// Where chunks begin for sure, in the order of addresses: those on lists of what is free.
void glibc_list_starts(uint64_t starts[])
{
    _foreach (c in glibc_cached)
        _push(starts, c);
    _foreach (m in glibc_arenas)
        for (int i = 1; i < NBINS; i++) {
            _try {
                struct malloc_chunk *b = bin_at(m, i);
                struct malloc_chunk *c = b->fd;
                for (int n = 0; c != b && n < GLIBC_MOST_OF_BIN && glibc_valid_chunk(c) && c->fd->bk == c; n++) {
                    _push(starts, (uint64_t)c);
                    c = c->fd;
                }
            } _catch (_fault f) {
                // It changes just now.
            }
        }
    _sort(starts);
}

/// A stretch of chunks: where the first one begins, or 0 where that is not known, and where none is any more.
struct glibc_stretch {
    uint64_t first, start, end;
};

/// The stretch that an address is in.
struct glibc_stretch glibc_stretch_of(uint64_t c)
{
    struct glibc_stretch s;
    s.start = c & ~(glibc_heap_bytes - 1);
    s.end = s.start + glibc_heap_bytes;
    _try {
        uint64_t base = glibc_align(glibc_par->sbrk_base);
        uint64_t top = glibc_tops[glibc_main].start;
        if (base && c >= base && c - base < glibc_main->max_system_mem) {
            s.first = s.start = base;
            s.end = top > c ? top : base + glibc_main->max_system_mem;
        } else if (s.start in glibc_heaps) {
            heap_info *h = (heap_info *)s.start;
            s.first = glibc_heap_of(h->ar_ptr) == h ? glibc_align((char *)h->ar_ptr + sizeof(struct malloc_state)) : s.start + sizeof(heap_info);
            if (glibc_heaps[s.start] > c)
                s.end = glibc_heaps[s.start];
        }
    } _catch (_fault f) {
        s.first = 0;
    }
    return s;
}

/// Whether what lies at `p` can be a chunk that ends before `end`; gives its size, or 0.
uint64_t glibc_step(uint64_t p, uint64_t end)
{
    uint64_t size = chunksize((struct malloc_chunk *)p);
    return size < MINSIZE || !glibc_aligned(size) || size > end - p ? 0 : size;
}

/// Whether a chunk still begins where one was found on a list.
int glibc_still_starts(uint64_t c)
{
    if (c in glibc_cached)
        return 1;
    struct malloc_chunk *free = (struct malloc_chunk *)c;
    return !(chunksize_nomask(next_chunk(free)) & PREV_INUSE) && free->fd->bk == free;
}

/// Finds out which of these blocks, in the order of addresses, chunks begin at, after `glibc_look`. A chunk that was freed and given out again as a part of
/// a larger one keeps its head until that is written to, so the head alone does not tell. One walk from chunk to chunk tells it for all.
///
/// What cannot be told, since chunks change meanwhile or there are too many, is not in `glibc_starts` then.
void glibc_find_starts(void *blocks[])
{
    _clear(glibc_starts);
    uint64_t known[];
    glibc_list_starts(known);
    struct glibc_stretch s;
    // Where the walk is, or 0; and up to where it has led nowhere.
    uint64_t p = 0, lost = 0;
    // Where it began, if that is a chunk from a list.
    uint64_t begun = 0;
    long j = 0, steps = 0;
    _foreach (i, block in blocks) {
        uint64_t c = (uint64_t)mem2chunk(block);
        if (c >= s.end || c < s.start) {
            s = glibc_stretch_of(c);
            p = s.first;
            lost = s.start;
            begun = 0;
        }
        while (j < _elems(known) && known[j] <= c)
            j++;
        uint64_t near = j > 0 ? known[j - 1] : 0;
        // Where the walk leads nowhere, it goes on from a place that is known behind that.
        for (int attempt = 0; attempt < 2; attempt++) {
            if (near >= s.start && near > lost && (!p || near > p + GLIBC_FAR))
                p = begun = near;
            if (!p || steps > GLIBC_MOST_STEPS)
                break;
            uint64_t from = p;
            _try {
                uint64_t size = 1;
                while (p < c && size && steps++ <= GLIBC_MOST_STEPS) {
                    from = p;
                    size = glibc_step(p, s.end);
                    p += size;
                }
                // What has become a part of a larger chunk since it was found leads anywhere.
                if (p >= c && (p == s.end || glibc_step(p, s.end)) && (p == c || !begun || glibc_still_starts(begun))) {
                    glibc_starts[c] = p == c;
                    break;
                }
            } _catch (_fault f) {
                // It is no chunk any more.
            }
            if (steps <= GLIBC_MOST_STEPS) {
                lost = from;
                p = 0;
            }
        }
    }
}

/// Whether the block at `p` is held, whose chunk had the head `header` when it was allocated: another one of the same size at the same place is
/// taken for it. 2 if nothing tells that it is not, but neither that a chunk begins there still (see `glibc_find_starts`).
int glibc_held(void *p, size_t header)
{
    struct malloc_chunk *c = mem2chunk(p);
    _try {
        size_t now = chunksize_nomask(c);
        if ((now ^ header) & ~PREV_INUSE)
            return 0;
        // A free one is not mapped any more.
        if (now & IS_MMAPPED)
            return 1;
        if ((uint64_t)c in glibc_cached || !(chunksize_nomask(next_chunk(c)) & PREV_INUSE))
            return 0;
        if (!(now & PREV_INUSE) && chunksize(prev_chunk(c)) != prev_size(c))
            return 0;
        // What has become a part of the top of its arena.
        struct glibc_top top = glibc_tops[now & NON_MAIN_ARENA ? glibc_heap_of(c)->ar_ptr : glibc_main];
        if ((uint64_t)c >= top.start && (uint64_t)c < top.end)
            return 0;
        return (uint64_t)c in glibc_starts ? glibc_starts[(uint64_t)c] : 2;
    } _catch (_fault f) {
        // What is not mapped is not held; what cannot be read for another reason was not given back.
        return _swapped(c, CHUNK_HDR_SZ) > 0;
    }
}

#endif
