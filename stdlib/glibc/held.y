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

/// Takes the lists of what is free and looks used. Gives 0 if the process has no memory any more.
int glibc_look(void)
{
    _try {
        if (!glibc_main)
            glibc_attach();
        if (!glibc_main->next)
            return 0;
    } _catch (_fault f) {
        return 0;
    }
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
    if (glibc_caches < threads && glibc_caches_sought++ < GLIBC_MOST_SEARCHES) {
        glibc_take_maps();
        if (!glibc_add_thread_caches())
            glibc_look_for_caches();
        _clear(glibc_caches_seen);
        _foreach (cache in glibc_caches_known)
            _push(glibc_caches_seen, cache);
    }
##endif
    _clear(glibc_tops);
    for (long i = 0; i < _elems(glibc_arenas); i++) {
        glibc_add_fast(glibc_arenas[i]);
        glibc_take_top_of(glibc_arenas[i]);
    }
    return 1;
}

/// Whether the block at `p` is held, whose chunk had the head `header` when it was allocated: another one of the same size at the same place is
/// taken for it.
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
        return (uint64_t)c < top.start || (uint64_t)c >= top.end;
    } _catch (_fault f) {
        // What is not mapped is not held; what cannot be read for another reason was not given back.
        return _swapped(c, CHUNK_HDR_SZ) > 0;
    }
}

#endif
