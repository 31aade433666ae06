#!/usr/bin/env -S ytrace run
/// glibc's heap as a map of addresses: what is in use, free, cached, top, of others, and in which arena: the picture of its fragmentation.
///
/// The break comes first, then heaps of the other arenas, segments of the main one, and blocks that are mapped directly. Neighbours of one state are drawn as
/// one. Free chunks below `--least` are drawn with what is around them, so that the map stays readable; the sums above it count them.

#include <glibc/result.y>

_option long least = 0;      /// free chunks below this are drawn with their surroundings; 0: a 20,000th of the heap
_option _Bool mapped = true; /// draw the blocks that are mapped directly
_option _str arena = "";     /// this arena alone: main, 1, 2, …

struct place {
    _str state;
    _str owner;
};
_view heapmap "Heap" "bytes"
struct place map[void *, size_t];

#define IN_USE 1
#define FREE 2
#define CACHED 3
#define TOP 4
#define OTHER 5

_str states[6] = { "", "in use", "free", "cached by threads", "top", "heads and gaps" };

uint64_t shortest;
// The run of neighbours of one state.
uint64_t run_start;
uint64_t run_end;
int run_state;
long drawn_together;

void end_run(void)
{
    if (run_state && run_end > run_start && (arena == "" || arena == glibc_now.name)) {
        struct place place = { states[run_state], glibc_now.name == "main" ? "main arena" : "arena " + glibc_now.name };
        map[(void *)run_start, run_end - run_start] = place;
    }
    run_state = 0;
}

void draw(uint64_t p, uint64_t size, int state)
{
    // What lies between two runs is heads, gaps and what others took.
    if (run_state && p == run_end && (state == run_state || size < shortest && state != TOP && run_state != TOP)) {
        drawn_together += state != run_state;
        run_end += size;
        return;
    }
    end_run();
    run_state = state;
    run_start = p;
    run_end = p + size;
}

void glibc_on_stretch(uint64_t start, uint64_t end)
{
    end_run();
    if (!shortest) {
        long system = 0;
        _foreach (m in glibc_arenas)
            system += m->system_mem;
        shortest = least > 0 ? least : system / 20000;
        if (!shortest)
            shortest = 1;
    }
}

void glibc_on_used(uint64_t p, uint64_t size)
{
    if (run_state == IN_USE && p == run_end)
        run_end += size;
    else
        draw(p, size, IN_USE);
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    draw(p, size, FREE);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    draw(p, size, CACHED);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    draw(p, size, TOP);
    end_run();
}

void glibc_on_arena_end(void)
{
    end_run();
}

_probe _oneshot {
    glibc_walk();
    if (mapped && arena == "")
        _foreach (b in glibc_blocks)
            map[(void *)b.start, b.bytes] = (struct place){ "in use", "mapped directly" };
    glibc_print_sums();
    if (drawn_together > 0)
        printf("%s chunks below %hB are drawn with what is around them (--least)\n", glibc_thousands(drawn_together), (long)shortest);
    glibc_check();
    printf("next: ytrace run probes/glibc-verdict.y -p %ld\n", _pid());
}
