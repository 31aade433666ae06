#!/usr/bin/env -S ytrace run
/// glibc's heap as a map of addresses: what is in use, free, cached or top, and in which arena: the picture of its fragmentation.
///
/// The break comes first, then heaps of the other arenas, segments of the main one, and blocks that are mapped directly. Neighbours of one state are drawn as
/// one, small chunks with what is around them, so that the map stays readable; the sums above it count them. Of an nginx, `ngx-heapmap.y` also shows
/// whose pools they are.

#include <glibc/map.y>

_option long least = 0;      /// chunks below this are drawn with their surroundings; 0: a 20,000th of the heap
_option _Bool mapped = true; /// draw the blocks that are mapped directly
_option _str arena = "";     /// this arena alone: main, 1, 2, …

_view heapmap "Heap" "bytes"
struct glibc_place map[void *, size_t];

void glibc_on_stretch(uint64_t start, uint64_t end)
{
    glibc_map_stretch();
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    glibc_map_draw(p, size, GLIBC_MAP_USED, 0);
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    glibc_map_draw(p, size, GLIBC_MAP_FREE, 0);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    glibc_map_draw(p, size, GLIBC_MAP_CACHED, 0);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    glibc_map_draw(p, size, GLIBC_MAP_TOP, 0);
}

void glibc_on_arena_end(void)
{
    glibc_map_end();
}

_probe _oneshot {
    glibc_map_least = least > 0 ? least : 0;
    glibc_map_arena = arena;
    glibc_walk();
    if (mapped && arena == "")
        _foreach (b in glibc_blocks)
            glibc_map_block(b, 0);
    _foreach ((start, bytes), place in glibc_places)
        map[start, bytes] = place;
    glibc_print_sums();
    glibc_map_say();
    glibc_check();
    printf("next: ytrace run probes/glibc-verdict.y -p %ld\n", _pid());
}
