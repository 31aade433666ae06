/// Finds malloc's variables `main_arena` and `mp_`: by their symbols, or, where the C library is stripped, by a search of its writable data for
/// structures that pass every check of `glibc_valid_main` and `glibc_valid_par`. Also the check that decides between the candidates of <glibc/layouts.y>.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_ARENAS_Y
#define GLIBC_ARENAS_Y

#include <glibc/layouts.y>
#include <glibc/c.y>

/// The main arena, malloc's parameters, and how they were found: "symbols" or "search".
struct malloc_state *glibc_main;
struct malloc_par *glibc_par;
_str glibc_found;

/// The mappings of the process, taken once: reading them costs the kernel a walk of its page tables.
struct glibc_map {
    uint64_t start;
    uint64_t end;
    /// Bytes that are resident; 0 in a core file.
    uint64_t rss;
    /// 1 readable, 2 writable, 4 private, 8 anonymous (of no file, and no stack), 16 part of the C library or of the executable.
    int flags;
};
struct glibc_map glibc_maps[];

#define GLIBC_MAP_READ 1
#define GLIBC_MAP_WRITE 2
#define GLIBC_MAP_PRIVATE 4
#define GLIBC_MAP_ANON 8
#define GLIBC_MAP_OWN 16
#define GLIBC_MAP_DATA (GLIBC_MAP_READ | GLIBC_MAP_WRITE | GLIBC_MAP_PRIVATE)

/// The size of a page.
uint64_t glibc_page;

// No process has more arenas than this (the limit is 8 per processor), no arena more heaps.
#define GLIBC_MOST_ARENAS 65536
#define GLIBC_MOST_HEAPS 1048576
// Addresses of processes lie below.
#define GLIBC_ADDRESSES (1ul << 47)

#define glibc_aligned(p) (((uint64_t)(p) & MALLOC_ALIGN_MASK) == 0)
#define glibc_pointer(p) (glibc_aligned(p) && (uint64_t)(p) >= 0x10000 && (uint64_t)(p) < GLIBC_ADDRESSES)
#define glibc_align(p) (((uint64_t)(p) + MALLOC_ALIGN_MASK) & ~MALLOC_ALIGN_MASK)

/// Takes the mappings of the process.
void glibc_take_maps(void)
{
    _clear(glibc_maps);
    glibc_page = _page_size();
    int own = 0;
    int writable = 0;
    uint64_t last = 0;
    _str executable = "";
    _foreach (module in _modules()) {
        executable = module.path;
        break;
    }
    _foreach (m in _maps()) {
        struct glibc_map map;
        map.start = (uint64_t)m.start;
        map.end = (uint64_t)m.end;
        map.rss = m.rss;
        map.flags = 0;
        if (_isprefix(m.perms, "r"))
            map.flags |= GLIBC_MAP_READ;
        if (_contains(m.perms, "w"))
            map.flags |= GLIBC_MAP_WRITE;
        if (_contains(m.perms, "p"))
            map.flags |= GLIBC_MAP_PRIVATE;
        if (m.file == "" || _isprefix(m.file, "[anon") || _isprefix(m.file, "/anon_hugepage"))
            map.flags |= GLIBC_MAP_ANON;
        // Zeroed data follows that of the file that can be written.
        if (m.file != "")
            own = (m.file ~~ rx/\/libc(\.so\.6|-2\.[0-9]+\.so)( |$)/) || (executable != "" && _isprefix(m.file, executable));
        else if (map.start != last || !writable)
            own = 0;
        writable = map.flags & GLIBC_MAP_WRITE;
        if (own)
            map.flags |= GLIBC_MAP_OWN;
        last = map.end;
        _push(glibc_maps, map);
    }
}

/// The size of the areas that secondary heaps are aligned to.
uint64_t glibc_heap_size(void)
{
##ifdeffield struct malloc_par hp_pagesize
##ifndeffield struct malloc_par tcache_small_bins
    // Up to 2.41 the tunable of huge pages changes it.
    if (glibc_par && glibc_par->hp_pagesize)
        return glibc_par->hp_pagesize * 4;
##endif
##endif
    return HEAP_MAX_SIZE;
}

/// The heap that an address of a secondary arena lies in.
heap_info *glibc_heap_of(void *p)
{
    return (heap_info *)((uint64_t)p & ~(glibc_heap_size() - 1));
}

/// Whether a chunk's address and size can be.
int glibc_valid_chunk(struct malloc_chunk *p)
{
    if (!glibc_pointer(p))
        return 0;
    uint64_t size = chunksize(p);
    return size >= MINSIZE && glibc_aligned(size) && size < GLIBC_ADDRESSES;
}

// So many bins of an arena may be damaged before it is none: a heap that somebody has written into is still to be walked.
#define GLIBC_DAMAGED_BINS 8

/// Whether a bin is a ring. Faults mean no.
int glibc_valid_bin(struct malloc_chunk *b)
{
    _try {
        struct malloc_chunk *f = b->fd;
        struct malloc_chunk *k = b->bk;
        if (f == b || k == b)
            return f == k;
        return glibc_valid_chunk(f) && glibc_valid_chunk(k) && f->bk == b && k->fd == b;
    } _catch (_fault f) {
        return 0;
    }
}

/// Whether an arena's fields are what they must be: its bins are rings, its top is a chunk.
int glibc_valid_arena(struct malloc_state *m)
{
    if (((uint64_t)m & 7) || m->flags & ~7 || m->system_mem > m->max_system_mem || m->max_system_mem >= GLIBC_ADDRESSES)
        return 0;
    int damaged = 0;
    for (int i = 1; i < NBINS; i++)
        if (!glibc_valid_bin(bin_at(m, i)) && ++damaged > GLIBC_DAMAGED_BINS)
            return 0;
##ifdeffield struct malloc_state fastbinsY
    for (int i = 0; i < NFASTBINS; i++)
        if (m->fastbinsY[i] && !glibc_pointer(m->fastbinsY[i]))
            return 0;
##endif
    struct malloc_chunk *t = m->top;
    if (t == initial_top(m))
        return m->system_mem == 0;
    return glibc_pointer(t) && _readable(t, CHUNK_HDR_SZ);
}

/// Whether it is the main arena: no heap begins before it, and the ring of arenas leads back to it, through arenas that heaps hold.
int glibc_valid_main(struct malloc_state *m)
{
    _try {
        if (!glibc_valid_arena(m))
            return 0;
        struct malloc_state *a = m->next;
        for (int i = 0; a != m; i++) {
            if (i >= GLIBC_MOST_ARENAS || !a)
                return 0;
            // The arena lies in its own first heap, just behind the heap's head, at an address with many zeros.
            heap_info *h = (heap_info *)((char *)a - sizeof(heap_info));
            if (((uint64_t)h & 0xfffff) || h->ar_ptr != a || h->prev || h->size > GLIBC_ADDRESSES || !glibc_valid_arena(a))
                return 0;
            a = a->next;
        }
        return 1;
    } _catch (_fault f) {
        return 0;
    }
}

/// Whether it is malloc's parameters of a main arena. Faults mean no.
int glibc_valid_par(struct malloc_par *p, struct malloc_state *m)
{
    _try {
        if (p->n_mmaps < 0 || p->n_mmaps > p->max_n_mmaps || p->n_mmaps_max < 0 || (p->no_dyn_threshold & ~1))
            return 0;
        if (p->mmapped_mem > p->max_mmapped_mem || p->max_mmapped_mem >= GLIBC_ADDRESSES || (p->n_mmaps == 0 && p->mmapped_mem >= glibc_page))
            return 0;
        if (p->n_mmaps > 0 && p->mmapped_mem < glibc_page * p->n_mmaps)
            return 0;
        if (p->mmap_threshold == 0 || p->mmap_threshold >= GLIBC_ADDRESSES || p->arena_test == 0 || p->arena_test > GLIBC_ADDRESSES)
            return 0;
        if (m->system_mem == 0 ? p->sbrk_base != NULL : !p->sbrk_base)
            return 0;
        if (p->sbrk_base) {
            struct malloc_chunk *first = (struct malloc_chunk *)glibc_align(p->sbrk_base);
            if (!glibc_pointer(first) || !_readable(first, CHUNK_HDR_SZ))
                return 0;
            if (!(m->flags & NONCONTIGUOUS_BIT) && (char *)m->top < p->sbrk_base)
                return 0;
        }
##ifdeffield struct malloc_par hp_pagesize
        if ((p->thp_pagesize & (p->thp_pagesize - 1)) || (p->hp_pagesize & (p->hp_pagesize - 1)) || p->thp_pagesize > 1ul << 40 || p->hp_pagesize > 1ul << 40)
            return 0;
##endif
##ifdeffield struct malloc_par tcache_small_bins
        // The largest size of a chunk that is cached, plus one.
        if (p->tcache_count > 0xffff || (p->tcache_max_bytes & MALLOC_ALIGN_MASK) != 1 || p->tcache_small_bins == 0 || p->tcache_small_bins > 64)
            return 0;
##elifdeffield struct malloc_par tcache_bins
        // The largest request that is cached.
        if (p->tcache_count > 0xffff || p->tcache_bins > 64 || p->tcache_bins != csize2tidx(request2size(p->tcache_max_bytes)) + 1)
            return 0;
##endif
        return 1;
    } _catch (_fault f) {
        return 0;
    }
}

/// The main arena within one stretch of writable data, or NULL.
struct malloc_state *glibc_search_main(uint64_t start, uint64_t end)
{
    uint64_t next = (uint64_t)offsetof(struct malloc_state, next);
    for (uint64_t p = start; p + sizeof(struct malloc_state) <= end; p += 8) {
        uint64_t n = *(uint64_t *)(p + next);
        // Next comes itself, or an arena behind the head of a heap.
        if (n != p && (n & 0xfffff) != sizeof(heap_info))
            continue;
        if (n && glibc_valid_main((struct malloc_state *)p))
            return (struct malloc_state *)p;
    }
    return NULL;
}

struct malloc_par *glibc_search_par(uint64_t start, uint64_t end, struct malloc_state *m)
{
    for (uint64_t p = start; p + sizeof(struct malloc_par) <= end; p += 8)
        if (glibc_valid_par((struct malloc_par *)p, m))
            return (struct malloc_par *)p;
    return NULL;
}

/// Whether the size of the cache that the first thread made, in the first chunk, is the one that the types say.
int glibc_valid_cache(void)
{
##ifdeftype tcache_perthread_struct
##ifdeffield tcache_perthread_struct counts
    // The counts became wider in 2.30, and nothing else did.
    struct malloc_chunk *first = (struct malloc_chunk *)glibc_align(glibc_par->sbrk_base);
    uint64_t size = glibc_par->sbrk_base ? chunksize(first) : 0;
    uint64_t narrow = request2size(64 + 64 * sizeof(void *));
    uint64_t wide = request2size(128 + 64 * sizeof(void *));
    if (size == narrow || size == wide)
        return size == request2size(sizeof(tcache_perthread_struct));
##ifdeffunc twalk_r
    uint64_t width = 2;
##else
    uint64_t width = 1;
##endif
    if (sizeof(((tcache_perthread_struct *)0)->counts[0]) != width)
        return 0;
##endif
##endif
    return 1;
}

/// What was looked at in vain, for messages.
uint64_t glibc_searched;

/// Why data could not be read in which malloc's variables lie, if so.
_str glibc_unreadable;

/// Sets `glibc_main` and `glibc_par`; gives whether both were found.
int glibc_find(void)
{
    glibc_main = NULL;
    glibc_par = NULL;
    glibc_searched = 0;
    glibc_take_maps();
##ifdefvar main_arena
##ifdefvar mp_
    glibc_main = (struct malloc_state *)&main_arena;
    glibc_par = (struct malloc_par *)&mp_;
##endif
##endif
    if (glibc_main) {
        glibc_found = "symbols";
        // Where they are is known: what is in the heap need not be sound.
        return glibc_main->top && glibc_main->next && glibc_main->system_mem <= glibc_main->max_system_mem;
    }
    glibc_found = "search";
    for (long i = 0; i < _elems(glibc_maps); i++) {
        struct glibc_map data = glibc_maps[i];
        if (!(data.flags & GLIBC_MAP_OWN) || (data.flags & GLIBC_MAP_DATA) != GLIBC_MAP_DATA)
            continue;
        glibc_searched += data.end - data.start;
        _try {
            struct malloc_state *m = glibc_search_main(data.start, data.end);
            if (!m)
                continue;
            glibc_main = m;
            glibc_par = glibc_search_par(data.start, data.end, m);
            // In a statically linked program the two may lie in different stretches.
            for (long j = 0; !glibc_par && j < _elems(glibc_maps); j++)
                if ((glibc_maps[j].flags & (GLIBC_MAP_OWN | GLIBC_MAP_DATA)) == (GLIBC_MAP_OWN | GLIBC_MAP_DATA) && j != i)
                    glibc_par = glibc_search_par(glibc_maps[j].start, glibc_maps[j].end, m);
            if (glibc_par)
                return glibc_valid_cache();
        } _catch (_fault f) {
            // A stretch that cannot be read to its end: the next one.
            glibc_unreadable = sprintf("%s", f.message);
        }
    }
    return 0;
}

/// Explains that no heap was found.
void glibc_none(void)
{
    if (glibc_found == "symbols")
        _raise("`main_arena` is there, but does not hold what malloc keeps in it: a top chunk, the next arena, how much the system gave. Has the program "
               "allocated anything yet, and is the debug file that of this C library?");
    if (glibc_searched == 0)
        _raise("no glibc in this process: no writable data of a libc.so.6, nor of the executable. Is it musl, or another allocator? `ytrace ps` tells");
    _raise("glibc's malloc was not found: there are no symbols `main_arena` and `mp_` (package libc6-dbg or the like), and in %hB of writable data of the C "
           "library and of the executable nothing passes for a main arena%s. Has the program another allocator, or has it allocated nothing yet?",
           glibc_searched, glibc_main ? " with its parameters (an arena was found, `mp_` not)" : "");
}

/// The check of <glibc/layouts.y>: whether the types in use fit the heap of this process.
int glibc_valid(void)
{
    if (glibc_find())
        return 1;
#ifdef LAYOUTS_ARE_OPTIONAL
    return -1;
#else
    glibc_none();
    return 0;
#endif
}

/// Finds malloc's variables, or ends the run with an explanation.
void glibc_attach(void)
{
    if (!glibc_find()) {
        _try {
            glibc_none();
        } _catch (_fault f) {
            _error("%s", f.message);
        }
    }
}

#endif
