/// Where glibc's malloc has its memory, without a walk of the chunks: the arenas' parts of the address space, and the blocks that are mapped directly.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_RANGES_Y
#define GLIBC_RANGES_Y

#include <glibc/walk.y>

// Blocks that are mapped directly, those of them that are known to be Perl's, and the others' arenas: 0 is the main one, 1 stands for all others.
#define GLIBC_RANGE_MAPPED (-1)
#define GLIBC_RANGE_PERL (-2)

/// What of the address space is malloc's, and as what.
struct glibc_range {
    uint64_t start, end;
    int arena;
};
struct glibc_range glibc_ranges[];

/// What malloc says that it has, in bytes: all arenas, and blocks that are mapped directly. Both change by single stores.
long glibc_arenas_said(void)
{
    long bytes = 0;
    _foreach (m in glibc_arenas) {
        _try {
            bytes += m->system_mem;
        } _catch (_fault f) {
            glibc_broken++;
        }
    }
    return bytes;
}

/// The index of the range that an address lies in, or -1. They are in the order of addresses.
long glibc_range_at(uint64_t p)
{
    long low = 0;
    long high = _elems(glibc_ranges);
    while (low < high) {
        long middle = (low + high) / 2;
        if (glibc_ranges[middle].start <= p)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && glibc_ranges[low - 1].end > p ? low - 1 : -1;
}

/// Finds the ranges. Gives 0 where there is no heap of glibc's, or none that makes sense.
int glibc_find_ranges(void)
{
    _clear(glibc_ranges);
    _clear(glibc_blocks);
    glibc_blocks_bytes = 0;
    _try {
        if (!glibc_find())
            return 0;
        if (glibc_main->flags & NONCONTIGUOUS_BIT) {
            // Where its segments end only their chunks tell.
            glibc_walk();
            if (glibc_break_end > glibc_break_start)
                _push(glibc_ranges, (struct glibc_range){ glibc_break_start & ~(glibc_page - 1), glibc_break_end, 0 });
            _foreach (start, end in glibc_segments)
                _push(glibc_ranges, (struct glibc_range){ start, end, 0 });
        } else {
            glibc_list_arenas();
            struct glibc_sum nothing;
            glibc_now = nothing;
            glibc_now.arena = glibc_main;
            glibc_break_start = (uint64_t)glibc_par->sbrk_base & ~(glibc_page - 1);
            glibc_break_end = glibc_break_start;
            if (glibc_break_start && glibc_main->system_mem) {
                uint64_t most = glibc_end_of(glibc_break_start);
                glibc_break_end = (uint64_t)glibc_main->top + chunksize(glibc_main->top);
                if (glibc_break_end > most || glibc_break_end < glibc_break_start)
                    glibc_break_end = most;
                _push(glibc_ranges, (struct glibc_range){ glibc_break_start, glibc_break_end, 0 });
            }
            glibc_walk_mapped();
        }
    } _catch (_fault f) {
        glibc_broken++;
    }
    // The whole area of a heap is taken, also what it may grow into.
    _foreach (start, end in glibc_heaps)
        _push(glibc_ranges, (struct glibc_range){ start, start + glibc_heap_bytes, 1 });
    _foreach (b in glibc_blocks)
        _push(glibc_ranges, (struct glibc_range){ b.start, b.start + b.bytes, GLIBC_RANGE_MAPPED });
    _sort(glibc_ranges _by x.start);
    return 1;
}

#endif
