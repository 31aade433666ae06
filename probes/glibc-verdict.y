#!/usr/bin/env -S ytrace run
/// Whether the memory that glibc's malloc holds is live, fragmented or retained, and what would give it back.
///
/// LIVE: most of it is in use. FRAGMENTED: much is free between chunks in use, so that the heap cannot shrink. RETAINED: much is free at the ends of arenas, in
/// threads' caches and fast bins, which malloc keeps by its settings. Also: how much `malloc_trim(0)` would give back now, what pins the rest and whose it is
/// (nginx's pools by kind, Perl, Lua), and which settings of this glibc would change it. Nothing is changed.

#include <glibc/owners.y>

_option int arenas = 8;        /// how many arenas are listed, those with most free bytes first
_option double threshold = 25; /// percent of the heap that has to be free for a verdict other than LIVE
_option _Bool owners = true;   /// find out whose blocks are: false reads less of the target

struct arena_row {
    _str arena, verdict;
    long used_bytes, free_bytes, top_bytes;
    double trim_bytes; // UNKNOWN in a core file
    long system_bytes;
    double free_percent;
};
_view table "Arenas: in use, free, top, and what malloc_trim would give back" "bytes"
struct arena_row by_arena[];

struct owner_row {
    _str owner;
    long chunks, bytes;
    double percent;        // of what is in use
    long free_below_bytes; // free chunks right below one of this owner's: what the first of them to be freed would join
};
#ifdef GLIBC_HAS_OWNERS
_view table "Owners: in use, and free chunks right below" "bytes"
#endif
struct owner_row by_owner[];

// What malloc_trim would give back, by arena; of all, what no other process shares; what is resident in tops that it leaves alone.
long trim[int];
long trim_unshared;
long tops_left;
// Of free chunks: how many have whole resident pages inside, and the bytes of these.
long free_pages_chunks;
long free_pages;
// Chunks in use and free whose size lies between the default threshold of direct mapping and the present one.
long between_used;
long between_free;
#define DEFAULT_MMAP_THRESHOLD (128l << 10)
// Kept at the end of the break by default, too.
#define DEFAULT_TRIM_THRESHOLD (128l << 10)

// The main arena in the order of addresses: how much is in use and free up to some marks, and the last chunk in use.
struct mark {
    long free, used;
    long owners[GLIBC_MOST_OWNERS];
};
struct mark marks[];
long next_mark;
long step;
long main_free;
long main_used;
// By owner: in the main arena, and in all of malloc's memory.
long main_of[GLIBC_MOST_OWNERS];
struct owner_row rows[GLIBC_MOST_OWNERS];
long free_below;
uint64_t last_used;
uint64_t last_used_size;
// What is in use in the main arena, by the position of the highest bit of the size.
long size_chunks[64];
long size_bytes[64];

// Adds a chunk in use to its owner's row.
int add_to_owner(uint64_t p, uint64_t size)
{
    int owner = glibc_owner(p);
    struct owner_row r = rows[owner];
    r.chunks++;
    r.bytes += size;
    r.free_below_bytes += free_below;
    rows[owner] = r;
    free_below = 0;
    return owner;
}

void glibc_on_stretch(uint64_t start, uint64_t end)
{
    free_below = 0;
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners) {
        glibc_look_at_chunk(p, 0);
        return;
    }
    int owner = glibc_owners_known() ? add_to_owner(p, size) : 0;
    if (size >= DEFAULT_MMAP_THRESHOLD)
        between_used += size;
    if (glibc_arena == 0) {
        main_of[owner] += size;
        int bit = glibc_highest_bit(size);
        size_chunks[bit]++;
        size_bytes[bit] += size;
        main_used += size;
        last_used = p;
        last_used_size = size;
    }
}

void glibc_on_mapped(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners)
        glibc_look_at_chunk(p, 1);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    // It parts what lies below from what lies above, and belongs to nobody.
    free_below = 0;
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners)
        return;
    free_below += size;
    if (size >= DEFAULT_MMAP_THRESHOLD)
        between_free += size;
    if (size >= glibc_page) {
        long inside = glibc_resident_inside(p, size);
        if (inside) {
            free_pages_chunks++;
            free_pages += inside;
            trim[glibc_arena] += inside;
            trim_unshared += glibc_unshared_inside(p, size);
        }
    }
    if (glibc_arena)
        return;
    main_free += size;
    if (main_free >= next_mark) {
        if (!step)
            step = glibc_main->system_mem / 256 + 1;
        struct mark m;
        m.free = main_free;
        m.used = main_used;
        for (int i = 0; i < _elems(glibc_owner_names); i++)
            m.owners[i] = main_of[i];
        _push(marks, m);
        next_mark = main_free + step;
    }
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    if (glibc_looking_for_owners)
        return;
    long inside = glibc_resident_inside(p, size);
    // Only the top of the main arena is given back, and only where it is the end of the break.
    if (glibc_arena || glibc_main->flags & NONCONTIGUOUS_BIT) {
        tops_left += inside;
        return;
    }
    trim[0] += inside;
    trim_unshared += glibc_unshared_inside(p, size);
}

/// LIVE, FRAGMENTED or RETAINED, by what is free in bins and what malloc keeps at hand.
_str judge(long binned, long kept, long whole)
{
    if (glibc_percent(binned + kept, whole) < threshold)
        return "LIVE";
    return kept > binned ? "RETAINED" : "FRAGMENTED";
}

/// What a chunk is, as far as its first words tell.
_str describe(uint64_t p, uint64_t size)
{
    _try {
        uint64_t *words = (uint64_t *)(p + CHUNK_HDR_SZ);
        int most = size / sizeof(*words) < 64 ? size / sizeof(*words) : 64;
        for (int i = 0; i < most; i++) {
            _str name = _usym((void *)words[i]);
            if (!_isprefix(name, "0x"))
                return sprintf("word %d points to %s", i, name);
        }
    } _catch (_fault f) {
        // It says nothing.
    }
    return "nothing in its first words has a name";
}

/// The name of an owner, as text.
_str owner_name(int owner)
{
    return owner ? glibc_owner_names[owner] : "no known owner";
}

/// Whose most of some bytes are: "current cycle pool", "current cycle pool 60 %, Lua 30 %".
_str most_of(long of[int], long whole)
{
    _str text = "";
    _foreach (owner, bytes in of _by bytes _desc _limit 3) {
        if (text == "" && bytes * 100 >= whole * 97)
            return owner_name(owner);
        if (text == "" || bytes * 10 >= whole)
            text = text + (text == "" ? "" : ", ") + sprintf("%s %.0f %%", owner_name(owner), glibc_percent(bytes, whole));
    }
    return text;
}

/// How much of the main arena in use lies above most of what is free, whose it is, and its last chunk: what keeps the break where it is.
void print_pins(void)
{
    if (!last_used || main_free == 0)
        return;
    struct mark found;
    long below = 0;
    _foreach (m in marks) {
        if (m.free * 100 >= main_free * 97) {
            found = m;
            below = m.free * 100 / main_free;
            break;
        }
    }
    if (below == 0)
        return;
    long above = main_used - found.used;
    _str whose = "what is in use";
    if (glibc_owners_known()) {
        long of[int];
        for (int i = 0; i < _elems(glibc_owner_names); i++)
            of[i] = main_of[i] - found.owners[i];
        whose = most_of(of, above);
    }
    int owner = glibc_owner(last_used);
    printf("pinned by: %s, above %s of the main arena's free bytes: %hB, the last %hB at %p: %s\n", whose, below == 100 ? "all" : sprintf("%ld %%", below), above,
           (long)last_used_size, (void *)(last_used + CHUNK_HDR_SZ), owner ? owner_name(owner) : describe(last_used, last_used_size));
    int most = 0;
    for (int bit = 1; bit < 64; bit++)
        if (size_bytes[bit] > size_bytes[most])
            most = bit;
    printf("           %.0f %% of what is in use there are %s chunks of %s\n", glibc_percent(size_bytes[most], main_used), glibc_thousands(size_chunks[most]),
           glibc_size_class(most));
}

void print_settings(void)
{
    struct glibc_sum a = glibc_all;
    long whole = glibc_whole();
    int said = 0;
    long others = a.system - glibc_sums[0].system;
    long others_free = others - (a.used - glibc_sums[0].used);
    if (glibc_percent(others_free, whole) >= 10) {
        printf("setting: MALLOC_ARENA_MAX (glibc.malloc.arena_max, M_ARENA_MAX): %hB are free in %ld arenas beside the main one\n", others_free, _elems(glibc_sums) - 1);
        said = 1;
    }
    long threshold_now = glibc_par->mmap_threshold;
    if (threshold_now > DEFAULT_MMAP_THRESHOLD && glibc_percent(between_free, whole) >= 5) {
        printf("setting: MALLOC_MMAP_THRESHOLD_ (glibc.malloc.mmap_threshold, M_MMAP_THRESHOLD): now %hB%s; %hB in use and %hB free are of chunks above %hB, which would be "
               "mapped directly and given back at once\n", threshold_now, glibc_par->no_dyn_threshold ? "" : ", it has grown by itself", between_used, between_free, DEFAULT_MMAP_THRESHOLD);
        said = 1;
    }
    long trim_threshold = glibc_par->trim_threshold;
    if (!(glibc_main->flags & NONCONTIGUOUS_BIT) && glibc_percent(glibc_sums[0].top, whole) >= 5) {
        printf("setting: MALLOC_TRIM_THRESHOLD_ (glibc.malloc.trim_threshold, M_TRIM_THRESHOLD): now %hB%s; %hB are kept at the end of the break\n", trim_threshold,
               !glibc_par->no_dyn_threshold && trim_threshold > DEFAULT_TRIM_THRESHOLD ? ", it has grown by itself" : "", glibc_sums[0].top);
        said = 1;
    }
    if (glibc_percent(a.cached, whole) >= 5) {
        printf("setting: glibc.malloc.tcache_count: %hB are in the caches of %ld threads\n", a.cached, glibc_caches);
        said = 1;
    }
    if (glibc_main->flags & NONCONTIGUOUS_BIT)
        printf("the break cannot move: the main arena goes on in mapped segments, which are never given back\n");
    if (!said && judge(a.free, a.top + a.cached + a.fast, whole) == "FRAGMENTED")
        puts("setting: none of malloc's would help: what is free lies between chunks in use. malloc_trim(0) at quiet times gives whole pages back");
}

/// Fills the table of owners.
void list_owners(void)
{
    if (!glibc_owners_known())
        return;
    long used = glibc_all.used + glibc_blocks_bytes;
    free_below = 0;
    _foreach (b in glibc_blocks)
        add_to_owner(b.chunk, b.bytes);
    for (int i = 0; i < _elems(glibc_owner_names); i++) {
        rows[i].owner = i ? glibc_owner_names[i] : "(not known)";
        rows[i].percent = glibc_percent(rows[i].bytes, used);
        if (rows[i].chunks)
            _push(by_owner, rows[i]);
    }
    _sort(by_owner _by x.bytes _desc);
}

_probe _oneshot {
    if (owners)
        glibc_find_owners();
    glibc_walk();
    struct glibc_sum a = glibc_all;
    long whole = glibc_whole();
    long kept = a.top + a.cached + a.fast;
    _str verdict = judge(a.free, kept, whole);
    long trimmed = _sum(trim);
    printf("%s: %hB of %hB is free%s\n", verdict, a.free + kept, whole, verdict == "FRAGMENTED" ? ", held by what is in use around it" : verdict == "RETAINED" ? ", kept for later" : "");
    printf("in use      %9hB  %3.0f %%  %s chunks, and %hB in %s mapped directly\n", a.used + glibc_blocks_bytes, glibc_percent(a.used + glibc_blocks_bytes, whole),
           glibc_thousands(a.used_chunks), glibc_blocks_bytes, glibc_thousands(_elems(glibc_blocks)));
    // Tops are no chunks of this line.
    _str inside = glibc_residency_known() ? sprintf("%hB in whole resident pages of %s", free_pages, glibc_thousands(free_pages_chunks))
                  : "what of them is resident is unknown";
    printf("free        %9hB  %3.0f %%  %s chunks; %s\n", a.free, glibc_percent(a.free, whole), glibc_thousands(a.free_chunks), inside);
    printf("caches      %9hB  %3.0f %%  of threads %hB, fast bins %hB\n", a.cached + a.fast, glibc_percent(a.cached + a.fast, whole), a.cached, a.fast);
    printf("top         %9hB  %3.0f %%\n", a.top, glibc_percent(a.top, whole));
    _str shared = "";
    if (glibc_sharing_unknown > 0)
        shared = "; how much of that is shared with forked relatives is unknown";
    else if (trimmed - trim_unshared >= glibc_page)
        shared = sprintf("; %hB of that is shared with forked relatives: the machine gains it only if all of them trim", trimmed - trim_unshared);
    if (!glibc_residency_known())
        puts("malloc_trim(0): unknown here, for nothing tells which pages are resident");
    else
        printf("malloc_trim(0) now: %hB here%s%s\n", trimmed, shared, tops_left > 0 ? sprintf("; not %hB in tops that it leaves alone", tops_left) : "");
    print_pins();
    print_settings();
    list_owners();
    glibc_say_owners();
    _foreach (i, s in glibc_sums)
        _push(by_arena, (struct arena_row){ s.name, judge(s.free, s.top + s.cached + s.fast, s.system), s.used, s.free + s.cached + s.fast, s.top, glibc_resident_sum(trim[(int)i]), s.system, glibc_percent(s.system - s.used, s.system) });
    _sort(by_arena _by (x.free_bytes + x.top_bytes) _desc);
    while (_elems(by_arena) > arenas)
        _pop(by_arena);
    glibc_print_differences();
    glibc_check();
    printf("next: ytrace run probes/glibc-heapmap.y %s\n", _target_words());
}
