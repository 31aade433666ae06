/// Mappings that were made while somebody looked, and which are still there: mmap, mremap and munmap of the C library.
///
/// Parts of a mapping can be unmapped, and what is mapped at a fixed address replaces what was there. System calls that a program makes without the C
/// library are not seen.

#include <linux/allocations.y>

#ifndef LINUX_REGIONS_Y
#define LINUX_REGIONS_Y

/// A mapping, by its start.
struct allocations_block regions_live[void *];
/// The same by size and place, so that those that a range touches are found at once: no two mappings overlap, so that of those of 2^k to 2^(k + 1) - 1 bytes at most one
/// begins in each piece of 2^k bytes.
void *regions_at[int, unsigned long];
/// How many there are of such a size.
long regions_of_size[int];
#define REGIONS_SIZES 64

/// A mapping on its way through mremap: what it was before.
struct regions_move {
    struct allocations_block region;
    void *start;
};
struct regions_move regions_moving[long];

/// Whole pages.
size_t regions_whole(size_t n)
{
    size_t page = _page_size();
    return (n + page - 1) / page * page;
}

/// Whether malloc of the C library makes this mapping: for a block, a heap of a thread, or more of one.
int regions_inside_malloc(_path by)
{
    const int far = 8;
    for (int i = 0; i < far && _depth(by) > 1; i++) {
        by = _parent(by);
        if (_leaf(by) ~~ rx/^(__libc_|__|_int_)?(malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc|valloc|pvalloc|mid_memalign|sysmalloc)\b/)
            return 1;
    }
    return 0;
}

/// The k of a mapping of 2^k to 2^(k + 1) - 1 bytes.
int regions_size(unsigned long n)
{
    int k = 0;
    while (n >>= 1)
        k++;
    return k;
}

/// Notes a mapping that overlaps no other.
void regions_put(void *start, struct allocations_block region)
{
    int k = regions_size(region.size);
    regions_live[start] = region;
    regions_at[k, (unsigned long)start >> k] = start;
    regions_of_size[k]++;
}

/// Forgets a mapping.
void regions_drop(void *start)
{
    int k = regions_size(regions_live[start].size);
    _delete regions_at[k, (unsigned long)start >> k];
    regions_of_size[k]--;
    _delete regions_live[start];
}

/// The mappings that have bytes in a range.
void regions_touched(char *from, char *to, void *starts[])
{
    if (from >= to)
        return;
    for (int k = 0; k < REGIONS_SIZES; k++) {
        if (regions_of_size[k] <= 0)
            continue;
        unsigned long first = (unsigned long)from >> k, last = ((unsigned long)to - 1) >> k;
        // Such a mapping reaches into the second piece after its first at most.
        first -= first < 2 ? first : 2;
        if (last - first >= _elems(regions_live)) {
            _foreach (start, region in regions_live)
                if (regions_size(region.size) == k && (char *)start < to && (char *)start + region.size > from)
                    _push(starts, start);
            continue;
        }
        for (unsigned long piece = first; piece <= last; piece++) {
            if (!((k, piece) in regions_at))
                continue;
            void *start = regions_at[k, piece];
            if ((char *)start < to && (char *)start + regions_live[start].size > from)
                _push(starts, start);
        }
    }
}

/// A part of what is mapped at `start` is kept.
void regions_keep(void *start, long size, struct allocations_block of, struct allocations_figures paths[_path])
{
    if (size <= 0)
        return;
    of.size = of.weight = size;
    regions_put(start, of);
    paths[of.at].blocks++;
}

/// These bytes are mapped no more.
void regions_gone(void *p, size_t n, struct allocations_figures paths[_path])
{
    char *from = p, *to = from + regions_whole(n);
    void *starts[];
    if (p in regions_live && (char *)p + regions_live[p].size == to)
        _push(starts, p);
    else
        regions_touched(from, to, starts);
    _foreach (i, start in starts) {
        struct allocations_block region = regions_live[start];
        char *first = start, *last = first + region.size;
        char *cut_from = first > from ? first : from, *cut_to = last < to ? last : to;
        paths[region.at].bytes -= cut_to - cut_from;
        paths[region.at].freed_bytes += cut_to - cut_from;
        paths[region.at].blocks--;
        regions_drop(start);
        regions_keep(first, cut_from - first, region, paths);
        regions_keep(cut_to, last - cut_to, region, paths);
    }
}

/// Something that is not followed has been mapped.
void regions_replaced(void *p, size_t n, struct allocations_figures paths[_path])
{
    if (_elems(regions_live) > 0)
        regions_gone(p, n, paths);
}

/// A mapping has been made.
void regions_got(void *p, size_t n, _path by, struct allocations_figures paths[_path])
{
    regions_replaced(p, n, paths);
    if (_elems(regions_live) >= allocations_most) {
        allocations_left_out++;
        return;
    }
    struct allocations_block region;
    region.size = region.weight = regions_whole(n);
    region.time = _now_ns();
    region.at = allocations_path(by, paths);
    regions_put(p, region);
    paths[region.at].bytes += region.size;
    paths[region.at].blocks++;
    paths[region.at].allocated_bytes += region.size;
    paths[region.at].calls++;
}

/// A mapping is about to be moved, or to have another size: where it was, another thread may map something before the thread of the hit goes on.
void regions_moves(void *old, size_t before, struct allocations_figures paths[_path])
{
    if (!(old in regions_live))
        return;
    long size = regions_live[old].size, whole = regions_whole(before);
    struct regions_move move;
    move.region = regions_live[old];
    move.region.size = move.region.weight = size < whole ? size : whole;
    move.start = old;
    regions_moving[_tid()] = move;
    regions_gone(old, before, paths);
}

/// It has been, or not if `p` is -1. One that had not been seen before is not covered now, either.
void regions_moved(void *p, size_t n, _path by, struct allocations_figures paths[_path])
{
    _Bool seen = _tid() in regions_moving;
    struct regions_move move = regions_moving[_tid()];
    _delete regions_moving[_tid()];
    if ((long)p == -1) {
        if (!seen || move.region.size <= 0)
            return;
        regions_keep(move.start, move.region.size, move.region, paths);
        paths[move.region.at].bytes += move.region.size;
        paths[move.region.at].freed_bytes -= move.region.size;
    } else if (seen)
        regions_got(p, n, by, paths);
    else
        regions_replaced(p, n, paths);
}

/// The thread of the hit has come to its end: another one may get its number.
void regions_thread_ended(void)
{
    _delete regions_moving[_tid()];
}

/// The memory of the process is gone.
void regions_forget(struct allocations_figures paths[_path])
{
    allocations_forget(regions_live, paths);
    _clear(regions_at);
    _clear(regions_of_size);
    _clear(regions_moving);
}

#endif
