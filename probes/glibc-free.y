#!/usr/bin/env -S ytrace run
/// Which free chunks glibc's malloc holds: by size, by kind and by arena, and how many whole pages inside them are in memory.
///
/// Kinds: thread caches and fast bins keep small chunks for the next request as they are; the unsorted, small and large bins hold the others; the top is the
/// end of an arena that everything else is cut from. What is resident in whole pages costs the machine memory for nothing, and `malloc_trim` would
/// give it back, but for the tops of secondary arenas.

#include <glibc/result.y>

_option int arenas = 16; /// how many arenas are listed, those with most free bytes first

#define KINDS 6
_str kinds[KINDS] = { "thread caches", "fast bins", "unsorted bin", "small bins", "large bins", "top" };

struct kind_row {
    _str kind;
    long chunks, bytes;
    double resident_bytes; // UNKNOWN in a core file
    double percent;
};
_view table "Free memory by kind" "bytes"
struct kind_row by_kind[];

struct size_row {
    _str size;
    long chunks, bytes;
    double resident_bytes;
};
_view table "Free chunks by size" "chunks"
struct size_row sizes[];

struct arena_row {
    _str arena;
    long chunks, bytes;
    double resident_bytes;
    long top_bytes, system_bytes;
    double percent;
};
_view table "Arenas: free chunks, their bytes, and what is resident of them in whole pages" "bytes"
struct arena_row by_arena[];

long chunks[KINDS];
long bytes[KINDS];
long resident[KINDS];
long size_chunks[64];
long size_bytes[64];
long size_resident[64];
long arena_resident[int];

void add(int kind, uint64_t p, uint64_t size)
{
    long inside = glibc_resident_inside(p, size);
    chunks[kind]++;
    bytes[kind] += size;
    resident[kind] += inside;
    if (kind == KINDS - 1)
        return;
    int bit = glibc_highest_bit(size);
    size_chunks[bit]++;
    size_bytes[bit] += size;
    size_resident[bit] += inside;
    if (inside)
        arena_resident[glibc_arena] += inside;
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    add(kind == GLIBC_CACHED_THREAD ? 0 : 1, p, size);
}

void glibc_on_listed(uint64_t p, uint64_t size, int bin)
{
    add(bin == 1 ? 2 : bin < NSMALLBINS ? 3 : 4, p, size);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    add(5, p, size);
}

_probe _oneshot {
    glibc_list_bins = true;
    glibc_walk();
    long all = glibc_all.free + glibc_all.fast + glibc_all.cached + glibc_all.top;
    long inside = 0;
    for (int i = 0; i < KINDS; i++) {
        inside += resident[i];
        _push(by_kind, (struct kind_row){ kinds[i], chunks[i], bytes[i], glibc_resident_sum(resident[i]), glibc_percent(bytes[i], all) });
    }
    for (int bit = 0; bit < 64; bit++)
        if (size_chunks[bit])
            _push(sizes, (struct size_row){ glibc_size_class(bit), size_chunks[bit], size_bytes[bit], glibc_resident_sum(size_resident[bit]) });
    _foreach (i, s in glibc_sums) {
        long free = s.free + s.fast + s.cached;
        _push(by_arena, (struct arena_row){ s.name, s.free_chunks + s.fast_chunks + s.cached_chunks, free, glibc_resident_sum(arena_resident[(int)i]), s.top, s.system, glibc_percent(free, s.system) });
    }
    _sort(by_arena _by x.bytes _desc);
    while (_elems(by_arena) > arenas)
        _pop(by_arena);
    glibc_print_sums();
    if (glibc_residency_known())
        printf("%hB of %hB free and top are whole resident pages\n", inside, all);
    else
        printf("%hB are free and top; how much of that is resident in whole pages is unknown\n", all);
    glibc_check();
    printf("next: ytrace run probes/glibc-verdict.y %s\n", _target_words());
}
