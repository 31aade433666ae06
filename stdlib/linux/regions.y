/// Mappings that were made while somebody looked, and which are still there: mmap, mremap and munmap of the C library.
///
/// Parts of a mapping can be unmapped, and what is mapped at a fixed address replaces what was there. System calls that a program makes without the C
/// library are not seen.

#include <linux/allocations.y>

#ifndef LINUX_REGIONS_Y
#define LINUX_REGIONS_Y

/// A mapping, by its start.
struct allocations_block regions_live[void *];

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

/// A part of what is mapped at `start` is kept.
void regions_keep(void *start, long size, struct allocations_block of, struct allocations_figures paths[_path])
{
    if (size <= 0)
        return;
    of.size = of.weight = size;
    regions_live[start] = of;
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
        _foreach (start, region in regions_live)
            if ((char *)start < to && (char *)start + region.size > from)
                _push(starts, start);
    _foreach (i, start in starts) {
        struct allocations_block region = regions_live[start];
        char *first = start, *last = first + region.size;
        char *cut_from = first > from ? first : from, *cut_to = last < to ? last : to;
        paths[region.at].bytes -= cut_to - cut_from;
        paths[region.at].freed_bytes += cut_to - cut_from;
        paths[region.at].blocks--;
        _delete regions_live[start];
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
    _path at = allocations_path(by, paths);
    struct allocations_block region;
    region.size = region.weight = regions_whole(n);
    region.time = _now_ns();
    region.at = at;
    regions_live[p] = region;
    paths[at].bytes += region.size;
    paths[at].blocks++;
    paths[at].allocated_bytes += region.size;
    paths[at].calls++;
}

/// A mapping has been moved, or has another size. One that had not been seen before is not covered now, either.
void regions_moved(void *old, size_t before, void *p, size_t n, _path by, struct allocations_figures paths[_path])
{
    if (!(old in regions_live)) {
        regions_replaced(p, n, paths);
        return;
    }
    regions_gone(old, before, paths);
    regions_got(p, n, by, paths);
}

#endif
