/// LuaJIT's own allocator (lj_alloc.c, made from dlmalloc): its segments, walked chunk by chunk, held against its lists of free chunks. Blocks of 128 KiB
/// and more are mapped one by one, and are on no list. A machine that was given another allocator by its program has none of this.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_ALLOC_Y
#define LUAJIT_ALLOC_Y

// Declared here: a stripped library lacks them, and glibc has a `struct malloc_state` of its own. They have been the same since LuaJIT 2.0.
struct lj_alloc_chunk {
    size_t prev_foot;
    size_t head;
    struct lj_alloc_chunk *fd;
    struct lj_alloc_chunk *bk;
    struct lj_alloc_chunk *child[2];
};
struct lj_alloc_segment {
    char *base;
    size_t size;
    struct lj_alloc_segment *next;
};
struct lj_alloc_state {
    uint32_t smallmap;
    uint32_t treemap;
    size_t dvsize;
    size_t topsize;
    struct lj_alloc_chunk *dv;
    struct lj_alloc_chunk *top;
    size_t trim_check;
    size_t release_checks;
    struct lj_alloc_chunk *smallbins[66];
    struct lj_alloc_chunk *treebins[32];
    struct lj_alloc_segment seg;
};

#define LJ_ALLOC_PREV_IN_USE 1ul
#define LJ_ALLOC_IN_USE 2ul
#define LJ_ALLOC_FLAGS 3ul
// The head of a fence post: in use, of the size of a word.
#define LJ_ALLOC_FENCE 11ul

/// Chunks by the kind of their list: 1 small bins, 2 tree bins, 3 the designated victim, 4 the top.
struct lj_alloc_free {
    long chunks;
    long bytes;
    long largest;
};
struct lj_alloc_free lj_alloc_lists[5];
/// Free chunks of the segments by powers of two.
struct lj_alloc_free lj_alloc_sizes[48];
/// What the walk of the segments has met: bytes, chunks in use and free (dv and top included), what lies between.
long lj_alloc_segments, lj_alloc_bytes, lj_alloc_used, lj_alloc_used_chunks, lj_alloc_free_bytes, lj_alloc_free_chunks, lj_alloc_other, lj_alloc_skipped;

#define LJ_ALLOC_MOST 100000000

/// Whether it is the state of such an allocator: it lies in one of its segments, and its lists are rings. A list with no bit in its map is empty, whatever
/// stands in it.
int lj_alloc_valid(struct lj_alloc_state *m)
{
    _try {
        if (!m || ((uint64_t)m & 7))
            return 0;
        int found = 0;
        struct lj_alloc_segment *s = &m->seg;
        for (int i = 0; s && i < 1000000; i++) {
            uint64_t base = (uint64_t)s->base;
            if (s->size == 0 || s->size > 1ul << 46)
                return 0;
            if ((uint64_t)m >= base && (uint64_t)m < base + s->size)
                found = 1;
            s = s->next;
        }
        if (!found)
            return 0;
        for (int i = 0; i < 32; i++) {
            struct lj_alloc_chunk *bin = (struct lj_alloc_chunk *)&m->smallbins[2 * i];
            if ((m->smallmap >> i & 1) && (bin->fd->bk != bin || bin->bk->fd != bin))
                return 0;
        }
        return m->topsize < 1ul << 46 && m->dvsize < 1ul << 46;
    } _catch (_fault f) {
        return 0;
    }
}

/// Called for each chunk of the segments, in the order of addresses within one.
__attribute__((weak)) void lj_alloc_on_chunk(uint64_t p, uint64_t size, int used) { }

void lj_alloc_add(int list, long bytes)
{
    struct lj_alloc_free f = lj_alloc_lists[list];
    f.chunks++;
    f.bytes += bytes;
    if (bytes > f.largest)
        f.largest = bytes;
    lj_alloc_lists[list] = f;
}

/// Adds the chunks of the small bins, of the trees, the designated victim and the top.
void lj_alloc_walk_lists(struct lj_alloc_state *m)
{
    long left = LJ_ALLOC_MOST;
    for (int i = 0; i < 32; i++) {
        struct lj_alloc_chunk *bin = (struct lj_alloc_chunk *)&m->smallbins[2 * i];
        for (struct lj_alloc_chunk *p = m->smallmap >> i & 1 ? bin->fd : bin; p != bin && left-- > 0; p = p->fd)
            lj_alloc_add(1, p->head & ~LJ_ALLOC_FLAGS);
    }
    struct lj_alloc_chunk *work[];
    for (int i = 0; i < 32; i++) {
        if (m->treemap >> i & 1 && m->treebins[i])
            _push(work, m->treebins[i]);
    }
    while (_elems(work) > 0 && left > 0) {
        // Chunks of one size are a ring, of which one is in the tree.
        struct lj_alloc_chunk *t = _pop(work);
        struct lj_alloc_chunk *p = t;
        do {
            lj_alloc_add(2, p->head & ~LJ_ALLOC_FLAGS);
            p = p->fd;
        } while (p != t && left-- > 0);
        for (int i = 0; i < 2; i++)
            if (t->child[i])
                _push(work, t->child[i]);
    }
    if (m->dv)
        lj_alloc_add(3, m->dvsize);
    lj_alloc_add(4, m->topsize);
    if (left <= 0)
        _raise("a list of free chunks does not end");
}

/// Walks the chunks of one segment.
void lj_alloc_walk_segment(struct lj_alloc_state *m, struct lj_alloc_segment *s)
{
    uint64_t base = (uint64_t)s->base;
    uint64_t end = base + s->size;
    uint64_t p = (base + 7) & ~7ul;
    // Chunks are aligned so that what follows their two words is.
    lj_alloc_segments++;
    lj_alloc_bytes += s->size;
    _try {
        while (p + 16 <= end) {
            struct lj_alloc_chunk *c = (struct lj_alloc_chunk *)p;
            uint64_t head = c->head;
            uint64_t size = head & ~LJ_ALLOC_FLAGS;
            // What follows the top and fence posts is room for the record of the next segment. A top can be smaller than any other chunk.
            if (c == m->top)
                size = m->topsize;
            else if (head == LJ_ALLOC_FENCE || size < 16)
                break;
            if (size > end - p)
                break;
            lj_alloc_on_chunk(p, size, c != m->top && head & LJ_ALLOC_IN_USE);
            if (c == m->top || !(head & LJ_ALLOC_IN_USE)) {
                int bit = 0;
                while (bit < 47 && size >> (bit + 1))
                    bit++;
                struct lj_alloc_free f = lj_alloc_sizes[bit];
                f.chunks++;
                f.bytes += size;
                if (size > f.largest)
                    f.largest = size;
                lj_alloc_sizes[bit] = f;
                lj_alloc_free_chunks++;
                lj_alloc_free_bytes += size;
            } else {
                lj_alloc_used_chunks++;
                lj_alloc_used += size;
            }
            p += size;
            if (c == m->top)
                break;
        }
        lj_alloc_other += end - p;
    } _catch (_fault f) {
        lj_alloc_skipped += end - p;
    }
}

/// Walks everything. Gives 0 if the machine's memory does not come from this allocator.
int lj_alloc_walk(struct lj_alloc_state *m)
{
    if (!lj_alloc_valid(m))
        return 0;
    _try {
        lj_alloc_walk_lists(m);
    } _catch (_fault f) {
        _warn("LuaJIT's lists of free chunks: %s", f.message);
        lj_alloc_skipped++;
    }
    struct lj_alloc_segment *s = &m->seg;
    for (int i = 0; s && i < 1000000; i++) {
        lj_alloc_walk_segment(m, s);
        s = s->next;
    }
    return 1;
}

#endif
