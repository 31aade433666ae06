/// What malloc maps directly: chunks above the threshold, which are on no list, and the segments in which the main arena goes on where the break cannot
/// move. Both are looked for in anonymous mappings: first where a mapping begins, then, while malloc's own count says that there are more, at every page.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_MAPPED_Y
#define GLIBC_MAPPED_Y

#include <glibc/arenas.y>
#include <glibc/heaps.y>

/// One chunk that is mapped directly.
struct glibc_block {
    /// Where its mapping begins, the chunk, and the bytes that were mapped for it.
    uint64_t start;
    uint64_t chunk;
    uint64_t bytes;
};
struct glibc_block glibc_blocks[];
/// Their bytes.
long glibc_blocks_bytes;
/// The segments of the main arena: from start to end.
uint64_t glibc_segments[uint64_t];
/// Pages that were looked at in the second pass, and whether that ended before the last.
long glibc_pages_looked_at;
#define GLIBC_MOST_PAGES (64l << 20)

/// Called for each of them.
__attribute__((weak)) void glibc_on_mapped(uint64_t p, uint64_t size) { }

// Blocks with a larger alignment than this are taken for what they were before they were resized.
#define GLIBC_MOST_ALIGNMENT (4ul << 20)
// So much may `mp_.mmapped_mem` be too big: 65,536 blocks that realloc has moved.
#define GLIBC_MOST_DRIFT (1l << 20)

// Since 2.43 the size in the head leaves out the last 16 bytes, and the lowest bit of the field before says whether pages are huge.
##ifdeffield struct malloc_state fastbinsY
#define GLIBC_MAPPED_TAIL 0ul
#define GLIBC_MAPPED_HUGE 0ul
##else
#define GLIBC_MAPPED_TAIL CHUNK_HDR_SZ
#define GLIBC_MAPPED_HUGE 1ul
##endif

/// Whether the chunk at `p` says that it was mapped from `start` on and ends before `end`; gives the bytes that were mapped, or 0.
uint64_t glibc_mapped_size(uint64_t p, uint64_t start, uint64_t end)
{
    struct malloc_chunk *c = (struct malloc_chunk *)p;
    uint64_t head = chunksize_nomask(c);
    if ((head & SIZE_BITS) != IS_MMAPPED || (prev_size(c) & ~GLIBC_MAPPED_HUGE) != p - start)
        return 0;
    uint64_t size = (head & ~7ul) + GLIBC_MAPPED_TAIL + (p - start);
    return size >= glibc_page && !(size & (glibc_page - 1)) && size <= end - start ? size : 0;
}

/// Whether chunks with alignments of more than a page are looked for where they lie, inside of the mapping, at the price of reading it.
int glibc_thorough;

/// The chunk that was mapped at a page, or 0. An aligned one lies further inside, and has left the head that was there before at the start: that tells of
/// the same size, unless the block was resized.
uint64_t glibc_mapped_chunk(uint64_t start, uint64_t end)
{
    struct malloc_chunk *c = (struct malloc_chunk *)start;
    uint64_t head = chunksize_nomask(c);
    if ((head & SIZE_BITS) != IS_MMAPPED || (prev_size(c) & ~GLIBC_MAPPED_HUGE) || ((head & ~7ul) + GLIBC_MAPPED_TAIL & (glibc_page - 1)))
        return 0;
    for (uint64_t alignment = 2 * MALLOC_ALIGNMENT; alignment <= glibc_page / 2; alignment *= 2) {
        // A block with this alignment lies behind a head or, up to 2.42, behind room for a free chunk.
        uint64_t p = start + alignment - CHUNK_HDR_SZ;
        for (int i = 0; i < 2; i++) {
            if (p > start && glibc_mapped_size(p, start, end))
                return p;
            p += alignment;
        }
    }
    // One with a larger alignment lies at the start of a page; realloc may have moved it to where it is not aligned any more.
    uint64_t most = glibc_thorough ? GLIBC_MOST_ALIGNMENT : 0;
    for (uint64_t p = start + glibc_page - CHUNK_HDR_SZ; p - start < most && p + CHUNK_HDR_SZ < end; p += glibc_page)
        if (glibc_mapped_size(p, start, end))
            return p;
    return glibc_mapped_size(start, start, end) ? start : 0;
}

/// Where what has been walked already and begins at or before `p` ends, if that is behind `p`; else 0.
uint64_t glibc_walked_until(uint64_t p)
{
    uint64_t heap = p & ~(glibc_heap_bytes - 1);
    uint64_t end = glibc_heaps[heap];
    if (end > p)
        return end;
    if (p >= glibc_break_start && p < glibc_break_end)
        return glibc_break_end;
    return glibc_segments[p];
}

/// Where memory of another user that begins at a page ends, or 0: the search goes on behind it.
__attribute__((weak)) uint64_t glibc_others_until(uint64_t p, uint64_t end) { return 0; }

/// Whether the main arena has parts that were not met yet.
#define glibc_parts_missing() (glibc_main->flags & NONCONTIGUOUS_BIT && glibc_met(glibc_now) + glibc_now.skipped < glibc_now.system)

/// Takes what begins at a page, a chunk or a segment of the main arena; gives where it ends, or 0.
uint64_t glibc_take_page(uint64_t p, uint64_t end)
{
    uint64_t c = glibc_mapped_chunk(p, end);
    if (c) {
        uint64_t size = glibc_mapped_size(c, p, end);
        _push(glibc_blocks, (struct glibc_block){ p, c, size });
        glibc_blocks_bytes += size;
        return p + size;
    }
    if (glibc_parts_missing() && glibc_chunks_begin(p, end, (uint64_t)glibc_main->top, 1 << 24)) {
        uint64_t next = glibc_walk_segment(p, end);
        if (next > p) {
            glibc_segments[p] = next;
            return next;
        }
    }
    return 0;
}

/// The same; 0 also where memory cannot be read.
uint64_t glibc_try_page(uint64_t p, uint64_t end)
{
    _try {
        return glibc_walked_until(p) ? : glibc_others_until(p, end) ? : glibc_take_page(p, end);
    } _catch (_fault f) {
        return 0;
    }
}

/// Whether a mapping may hold what malloc has mapped. A program can seal a block of its own with mprotect(2): then it cannot be written.
#define GLIBC_MAP_BLOCKS (GLIBC_MAP_READ | GLIBC_MAP_PRIVATE | GLIBC_MAP_ANON)
#define glibc_maps_anonymous(m) (((m).flags & GLIBC_MAP_BLOCKS) == GLIBC_MAP_BLOCKS && !((m).flags & GLIBC_MAP_OWN))

/// Where the anonymous memory ends that a mapping begins or goes on: `madvise` and its like cut one block into several mappings.
uint64_t glibc_anonymous_until(long i)
{
    uint64_t end = glibc_maps[i].end;
    for (long j = i + 1; j < _elems(glibc_maps) && glibc_maps[j].start == end && glibc_maps_anonymous(glibc_maps[j]); j++)
        end = glibc_maps[j].end;
    return end;
}

/// Looks at the start of each anonymous mapping, then, while malloc's count says that there are more, at every page of each.
void glibc_look_at_mappings(void)
{
    uint64_t until[];
    _clear(glibc_blocks);
    glibc_blocks_bytes = 0;
    uint64_t p = 0;
    uint64_t end = 0;
    for (long i = 0; i < _elems(glibc_maps); i++) {
        struct glibc_map m = glibc_maps[i];
        if (p < m.start)
            p = m.start;
        if ((!glibc_maps_anonymous(m) || (m.rss == 0 && _is_live())) && p < m.end)
            p = m.end;
        if (p < m.end && end < m.end)
            end = glibc_anonymous_until(i);
        while (p < m.end) {
            uint64_t next = glibc_try_page(p, end);
            if (next <= p)
                break;
            p = next;
        }
        _push(until, p);
    }
    glibc_pages_looked_at = 0;
    p = 0;
    end = 0;
    for (long i = 0; i < _elems(glibc_maps); i++) {
        uint64_t stop = glibc_maps[i].end;
        if (p < until[i])
            p = until[i];
        if (p < stop && end < stop)
            end = glibc_anonymous_until(i);
        while (p < stop) {
            if (_elems(glibc_blocks) >= glibc_par->n_mmaps && !glibc_parts_missing())
                return;
            if (++glibc_pages_looked_at > GLIBC_MOST_PAGES)
                return;
            uint64_t next = glibc_try_page(p, end);
            p = next > p ? next : p + glibc_page;
        }
    }
}

/// Whether number and bytes are what malloc counts. Since 2.43 `mp_.mmapped_mem` grows by 16 bytes too many each time that realloc moves a block; what was
/// overlooked would be whole pages, so a difference of a page or more is believed only after a thorough look, and up to a limit.
int glibc_mapped_agrees(void)
{
    long difference = glibc_par->mmapped_mem - glibc_blocks_bytes;
    if (_elems(glibc_blocks) != glibc_par->n_mmaps)
        return 0;
    long most = !GLIBC_MAPPED_TAIL ? 0 : glibc_thorough ? GLIBC_MOST_DRIFT : glibc_page - 1;
    return difference >= 0 && difference <= most && glibc_aligned(difference);
}

/// Finds the chunks that are mapped directly and the segments of the main arena.
void glibc_walk_mapped(void)
{
    _clear(glibc_segments);
    glibc_thorough = 0;
    if (glibc_par->n_mmaps > 0 || glibc_parts_missing())
        glibc_look_at_mappings();
    if (glibc_looking)
        return;
    if (!glibc_mapped_agrees()) {
        glibc_thorough = 1;
        glibc_look_at_mappings();
    }
    _foreach (b in glibc_blocks)
        glibc_on_mapped(b.chunk, b.bytes);
}

#endif
