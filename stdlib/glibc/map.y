/// Draws glibc's heap as a map of addresses. A probe shows `glibc_map` as a heapmap, and hands the hooks of <glibc/heaps.y> over:
///
///     void glibc_on_stretch(uint64_t start, uint64_t end) { glibc_map_stretch(); }
///     void glibc_on_used(uint64_t p, uint64_t size) { glibc_map_draw(p, size, GLIBC_MAP_USED, 0); }
///     …
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_MAP_Y
#define GLIBC_MAP_Y

#include <glibc/result.y>

struct glibc_place {
    _str state;
    _str owner;
};

#define GLIBC_MAP_USED 1
#define GLIBC_MAP_FREE 2
#define GLIBC_MAP_CACHED 3
#define GLIBC_MAP_TOP 4
#define GLIBC_MAP_FAST 5
_str glibc_map_states[6] = { "", "in use", "free", "cached by threads", "top", "fast bins" };

/// Names of owners by number; 0 stands for the arena.
_str glibc_map_owners[int];
/// Chunks below this are drawn together, as one of the kinds that they are; 0: a 20,000th of the heap.
uint64_t glibc_map_least;
/// This arena alone; "" for all.
_str glibc_map_arena;
/// Chunks that were drawn together with others of another state or owner.
long glibc_map_together;

/// The map: from start and length to a state and an owner.
struct glibc_place glibc_places[void *, size_t];

// What a chunk is: its owner above its state.
#define glibc_map_kind(state, owner) ((owner) << 3 | (state))

// The run of neighbours of one state and owner.
uint64_t glibc_run_start;
uint64_t glibc_run_end;
int glibc_run_kind;

// Small chunks behind the run, which are drawn together as soon as they are enough: bytes by kind, of the last kind apart.
uint64_t glibc_small_start;
uint64_t glibc_small_end;
long glibc_small_chunks;
int glibc_small_kind;
uint64_t glibc_small_bytes;
uint64_t glibc_small_others[int];
// Bytes of a kind that were drawn as others, less those of others that were drawn as it.
long glibc_map_owed[int];

/// Ends the run at hand.
void glibc_map_end_run(void)
{
    int owner = glibc_run_kind >> 3;
    if (glibc_run_kind && (glibc_map_arena == "" || glibc_map_arena == glibc_now.name)) {
        struct glibc_place place;
        place.state = glibc_map_states[glibc_run_kind & 7];
        place.owner = owner ? glibc_map_owners[owner] : glibc_now.name == "main" ? "main arena" : "arena " + glibc_now.name;
        glibc_places[(void *)glibc_run_start, glibc_run_end - glibc_run_start] = place;
    }
    glibc_run_kind = 0;
}

/// Adds to the run at hand, or begins another.
void glibc_map_extend(uint64_t start, uint64_t end, int kind)
{
    if (kind == glibc_run_kind && start == glibc_run_end) {
        glibc_run_end = end;
        return;
    }
    glibc_map_end_run();
    glibc_run_kind = kind;
    glibc_run_start = start;
    glibc_run_end = end;
}

/// Draws the small chunks that have come together as one of the kinds among them: that of which most is still to be drawn, so that all that is drawn sums up to
/// what there is.
void glibc_map_end_small(void)
{
    if (!glibc_small_chunks)
        return;
    int kind = glibc_small_kind;
    if (_count(glibc_small_others) > 0) {
        glibc_small_others[kind] += glibc_small_bytes;
        long most = 0;
        _foreach (k, bytes in glibc_small_others) {
            glibc_map_owed[k] += bytes;
            if (glibc_map_owed[k] > most) {
                most = glibc_map_owed[k];
                kind = k;
            }
        }
        glibc_map_owed[kind] -= glibc_small_end - glibc_small_start;
        glibc_map_together += glibc_small_chunks;
        _clear(glibc_small_others);
    }
    glibc_map_extend(glibc_small_start, glibc_small_end, kind);
    glibc_small_chunks = 0;
    glibc_small_bytes = 0;
}

/// Ends what is at hand. To be called at the end of an arena.
void glibc_map_end(void)
{
    glibc_map_end_small();
    glibc_map_end_run();
}

/// Draws a chunk.
void glibc_map_draw(uint64_t p, uint64_t size, int state, int owner)
{
    int kind = glibc_map_kind(state, owner);
    if (glibc_small_chunks && p != glibc_small_end)
        glibc_map_end_small();
    if (size >= glibc_map_least || state == GLIBC_MAP_TOP) {
        glibc_map_end_small();
        glibc_map_extend(p, p + size, kind);
        return;
    }
    if (!glibc_small_chunks)
        glibc_small_start = p;
    else if (kind != glibc_small_kind) {
        glibc_small_others[glibc_small_kind] += glibc_small_bytes;
        glibc_small_bytes = 0;
    }
    glibc_small_kind = kind;
    glibc_small_bytes += size;
    glibc_small_chunks++;
    glibc_small_end = p + size;
    if (glibc_small_end - glibc_small_start >= glibc_map_least)
        glibc_map_end_small();
}

/// Begins a stretch.
void glibc_map_stretch(void)
{
    glibc_map_end();
    if (glibc_map_least)
        return;
    uint64_t system = 0;
    _foreach (m in glibc_arenas)
        system += m->system_mem;
    glibc_map_least = system / 20000 + 1;
}

/// Draws the blocks that are mapped directly, after the walk. `owner` is the number of an owner, or 0.
void glibc_map_block(struct glibc_block b, int owner)
{
    struct glibc_place place;
    place.state = "in use";
    place.owner = owner ? glibc_map_owners[owner] : "mapped directly";
    glibc_places[(void *)b.start, b.bytes] = place;
}

/// Says what was drawn together.
void glibc_map_say(void)
{
    if (glibc_map_together > 0)
        printf("%s chunks below %hB are drawn together with others, each kind as often as it has bytes (--least)\n", glibc_thousands(glibc_map_together), (long)glibc_map_least);
}

#endif
