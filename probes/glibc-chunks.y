#!/usr/bin/env -S ytrace run
/// Which sizes of chunks of glibc's malloc are in use: number and bytes by powers of two, by arena, and the biggest.
///
/// A chunk is what malloc hands out, with its head of 8 bytes (16 where it is mapped directly). Chunks that threads cache for themselves and those in fast
/// bins are free, and are not counted as in use. All sums are held against malloc's own.

#include <glibc/result.y>

_option int biggest = 5; /// how many of the biggest chunks are listed
_option int arenas = 16; /// how many arenas are listed, the biggest first

struct size_row {
    _str size;
    long chunks, bytes;
    long mapped_directly;
};
_view table "Chunks in use by size" "chunks"
struct size_row sizes[];

struct arena_row {
    _str arena;
    long heaps, chunks, bytes, free_bytes, top_bytes, system_bytes;
    long difference;
};
_view table "Arenas: chunks in use, their bytes, and what else there is" "bytes"
struct arena_row by_arena[];

struct chunk_row {
    void *block;
    long bytes;
    _str arena;
};
_view table "Biggest chunks in use" "bytes"
struct chunk_row big[];

// Number and bytes by the position of the highest bit.
long count[64];
long bytes[64];
long mapped[64];
// Sizes below this that are not among the biggest are counted one by one and put together at the end: most chunks are small.
#define SMALL 1024
long small[SMALL / 16];
// Chunks up to this size are not among the biggest.
uint64_t least;

/// Leaves the biggest of those gathered.
void cut_biggest(void)
{
    _sort(big _by x.bytes _desc);
    while (_elems(big) > biggest)
        _pop(big);
    if (biggest > 0 && _elems(big) == biggest)
        least = big[biggest - 1].bytes;
}

void add(uint64_t p, uint64_t size, _str arena)
{
    int bit = glibc_highest_bit(size);
    count[bit]++;
    bytes[bit] += size;
    if (size <= least)
        return;
    _push(big, (struct chunk_row){ (void *)(p + CHUNK_HDR_SZ), size, arena });
    if (_elems(big) > 4 * biggest + 64)
        cut_biggest();
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    if (size < SMALL && size <= least)
        small[size / 16]++;
    else
        add(p, size, glibc_now.name);
}

void glibc_on_mapped(uint64_t p, uint64_t size)
{
    add(p, size, "mapped");
    mapped[glibc_highest_bit(size)]++;
}

_probe _oneshot {
    if (biggest < 1)
        least = ~0ul;
    glibc_walk();
    for (int i = 0; i < SMALL / 16; i++) {
        int bit = glibc_highest_bit(16ul * i | 1);
        count[bit] += small[i];
        bytes[bit] += 16l * i * small[i];
    }
    for (int bit = 0; bit < 64; bit++)
        if (count[bit])
            _push(sizes, (struct size_row){ glibc_size_class(bit), count[bit], bytes[bit], mapped[bit] });
    _foreach (s in glibc_sums)
        _push(by_arena, (struct arena_row){ s.name, s.heaps, s.used_chunks, s.used, s.free + s.fast + s.cached, s.top, s.system, s.system - glibc_met(s) });
    _sort(by_arena _by x.system_bytes _desc);
    while (_elems(by_arena) > arenas)
        _pop(by_arena);
    cut_biggest();
    glibc_print_sums();
    glibc_check();
    printf("next: ytrace run probes/glibc-verdict.y %s\n", _target_words());
}
