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
_str glibc_map_states[5] = { "", "in use", "free", "cached by threads", "top" };

/// Names of owners by number; 0 stands for the arena.
_str glibc_map_owners[int];
/// Chunks below this are drawn with what is around them; 0: a 20,000th of the heap.
uint64_t glibc_map_least;
/// This arena alone; "" for all.
_str glibc_map_arena;
/// Chunks that were drawn with what is around them.
long glibc_map_together;

/// The map: from start and length to a state and an owner.
struct glibc_place glibc_places[void *, size_t];

// The run of neighbours of one state and owner.
uint64_t glibc_run_start;
uint64_t glibc_run_end;
int glibc_run_state;
int glibc_run_owner;

/// Ends the run at hand. To be called at the end of an arena.
void glibc_map_end(void)
{
    if (glibc_run_state && (glibc_map_arena == "" || glibc_map_arena == glibc_now.name)) {
        struct glibc_place place;
        place.state = glibc_map_states[glibc_run_state];
        place.owner = glibc_run_owner ? glibc_map_owners[glibc_run_owner] : glibc_now.name == "main" ? "main arena" : "arena " + glibc_now.name;
        glibc_places[(void *)glibc_run_start, glibc_run_end - glibc_run_start] = place;
    }
    glibc_run_state = 0;
}

/// Draws a chunk.
void glibc_map_draw(uint64_t p, uint64_t size, int state, int owner)
{
    if (glibc_run_state && p == glibc_run_end) {
        if (state == glibc_run_state && owner == glibc_run_owner) {
            glibc_run_end += size;
            return;
        }
        if (size < glibc_map_least && state != GLIBC_MAP_TOP && glibc_run_state != GLIBC_MAP_TOP) {
            glibc_map_together++;
            glibc_run_end += size;
            return;
        }
    }
    glibc_map_end();
    glibc_run_state = state;
    glibc_run_owner = owner;
    glibc_run_start = p;
    glibc_run_end = p + size;
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

/// Says what was drawn with its surroundings.
void glibc_map_say(void)
{
    if (glibc_map_together > 0)
        printf("%s chunks below %hB are drawn with what is around them (--least)\n", glibc_thousands(glibc_map_together), (long)glibc_map_least);
}

#endif
