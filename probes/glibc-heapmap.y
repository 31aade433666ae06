#!/usr/bin/env -S ytrace run
/// glibc's heap as a map of addresses: what is in use, free, cached or top, and whose it is: the picture of its fragmentation.
///
/// The break comes first, then heaps of the other arenas, segments of the main one, blocks that are mapped directly, and what LuaJIT has mapped for itself. Owners
/// are nginx's pools by kind (of the present cycle, of old ones, of connections, requests and modules, and those that nobody owns), Perl, and Lua with what its C
/// data holds; where none of them is here, the arenas. Neighbours of one state and owner are drawn as one. Small chunks are drawn together, as one of the kinds that they
/// are, so that the map stays readable; over many, each kind is drawn as often as it has bytes.

#include <glibc/map.y>
#include <glibc/owners.y>

_option long least = 0;      /// chunks below this are drawn together; 0: a 20,000th of the heap
_option _Bool mapped = true; /// draw the blocks that are mapped directly
_option _str arena = "";     /// this arena alone: main, 1, 2, …
_option _Bool owners = true; /// find out whose blocks are: false reads less of the target

_view heapmap "Heap" "bytes"
struct glibc_place map[void *, size_t];

// Behind the owners in the registry: what no owner is known of, and what is nobody's.
int nobodys, unknown;

void glibc_on_stretch(uint64_t start, uint64_t end)
{
    if (!glibc_looking_for_owners)
        glibc_map_stretch();
}

/// The owner of a chunk for the map.
int owner(uint64_t p)
{
    return unknown ? glibc_owner(p) ? : unknown : 0;
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners)
        glibc_look_at_chunk(p, 0);
    else
        glibc_map_draw(p, size, GLIBC_MAP_USED, owner(p));
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    if (!glibc_looking_for_owners)
        glibc_map_draw(p, size, GLIBC_MAP_FREE, nobodys);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    if (!glibc_looking_for_owners)
        glibc_map_draw(p, size, kind == GLIBC_CACHED_FAST ? GLIBC_MAP_FAST : GLIBC_MAP_CACHED, nobodys);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    if (!glibc_looking_for_owners)
        glibc_map_draw(p, size, GLIBC_MAP_TOP, nobodys);
}

void glibc_on_arena_end(void)
{
    if (!glibc_looking_for_owners)
        glibc_map_end();
}

void glibc_on_mapped(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners)
        glibc_look_at_chunk(p, 1);
}

void glibc_on_beside(uint64_t p, uint64_t size, int used, int owner)
{
    glibc_map_draw(p, size, used ? GLIBC_MAP_USED : GLIBC_MAP_FREE, owner);
}

_probe _oneshot {
    glibc_map_least = least > 0 ? least : 0;
    glibc_map_arena = arena;
    if (owners)
        glibc_find_owners();
    if (glibc_owners_known()) {
        _foreach (i, name in glibc_owner_names)
            glibc_map_owners[i] = name;
        unknown = _elems(glibc_owner_names);
        nobodys = unknown + 1;
        glibc_map_owners[unknown] = "not known";
        glibc_map_owners[nobodys] = "free";
    }
    glibc_walk();
    if (mapped && arena == "")
        _foreach (b in glibc_blocks)
            glibc_map_block(b, owner(b.chunk));
    if (arena == "")
        glibc_show_beside();
    glibc_map_end();
    _foreach ((start, bytes), place in glibc_places)
        map[start, bytes] = place;
    glibc_print_sums();
    glibc_map_say();
    glibc_say_owners();
    glibc_check();
    printf("next: ytrace run probes/glibc-verdict.y %s\n", _target_words());
}
