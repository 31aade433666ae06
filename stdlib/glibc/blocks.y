/// Gives the blocks of glibc's malloc to the prompt's heap questions (<heap/ask.y>), and says of addresses which chunk they lie in.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_BLOCKS_Y
#define GLIBC_BLOCKS_Y

#include <heap/blocks.y>
#include <heap/types.y>
#include <glibc/result.y>
#include <glibc/stacks.y>
#ifdef HEAP_OWNERS
#include <glibc/owners.y>
#endif

/// What a walk is for, if not for owners: blocks that are given, or addresses of which it is said what they are.
#define GLIBC_TO_GIVE 1
#define GLIBC_TO_SAY 2
int glibc_walk_for;

// The number of an owner here, by that of <glibc/owners.y>.
int glibc_owner_here[256];
int glibc_owners_learned;

/// Whose blocks are is found out once.
void glibc_learn_owners(void)
{
#ifdef HEAP_OWNERS
    if (glibc_owners_learned)
        return;
    glibc_owners_learned = 1;
    glibc_find_owners();
    _foreach (i, name in glibc_owner_names)
        glibc_owner_here[i] = heap_owner_number(name);
    _foreach (line in glibc_owners_unknown)
        _warn("%s", line);
#endif
}

#ifdef HEAP_OWNERS
#define glibc_block_owner(p) glibc_owner_here[glibc_owner(p)]
#else
#define glibc_block_owner(p) 0
#endif

/// Says what a chunk is.
void glibc_say_chunk(uint64_t p, uint64_t size, int state, uint64_t block, uint64_t room)
{
    _str text = heap_state_names[state];
    if (state == HEAP_USED && room == 0)
        text = text + ", mapped directly";
    else
        text = text + (glibc_now.name == "main" ? ", main arena" : ", arena " + glibc_now.name);
    if (state == HEAP_USED && glibc_block_owner(p))
        text = text + ", " + heap_owner_names[glibc_block_owner(p)];
    else if (state == HEAP_USED) {
        _str type = heap_type((struct heap_block){ block, size - (block - p), p, size, state, 0 });
        if (type != "")
            text = text + ", type " + type;
    }
    text = text + sprintf(", malloc gave 0x%lx", block);
    prompt_say(p, size, "glibc chunk", text);
}

void glibc_take_chunk(uint64_t p, uint64_t size, int state)
{
    if (glibc_walk_for == GLIBC_TO_GIVE)
        heap_block(p + CHUNK_HDR_SZ, size - SIZE_SZ, p, size, state, state == HEAP_USED ? glibc_block_owner(p) : 0);
    else if (glibc_walk_for == GLIBC_TO_SAY && prompt_is_asked(p, size))
        glibc_say_chunk(p, size, state, p + CHUNK_HDR_SZ, size - SIZE_SZ);
}

void glibc_on_used(uint64_t p, uint64_t size)
{
#ifdef HEAP_OWNERS
    if (glibc_looking_for_owners) {
        glibc_look_at_chunk(p, 0);
        return;
    }
#endif
    glibc_take_chunk(p, size, HEAP_USED);
}

void glibc_on_free(uint64_t p, uint64_t size)
{
    glibc_take_chunk(p, size, HEAP_FREE);
}

void glibc_on_cached(uint64_t p, uint64_t size, int kind)
{
    glibc_take_chunk(p, size, kind == GLIBC_CACHED_FAST ? HEAP_FAST : HEAP_CACHED);
}

void glibc_on_top(uint64_t p, uint64_t size)
{
    glibc_take_chunk(p, size, HEAP_TOP);
}

void glibc_on_mapped(uint64_t p, uint64_t size)
{
#ifdef HEAP_OWNERS
    if (glibc_looking_for_owners) {
        glibc_look_at_chunk(p, 1);
        return;
    }
#endif
    // The mapping may begin before the chunk.
    uint64_t start = p - (prev_size((mchunkptr)p) & ~GLIBC_MAPPED_HUGE);
    uint64_t room = memsize((mchunkptr)p);
    if (glibc_walk_for == GLIBC_TO_GIVE)
        heap_block(p + CHUNK_HDR_SZ, room, start, size, HEAP_USED, glibc_block_owner(p));
    else if (glibc_walk_for == GLIBC_TO_SAY && prompt_is_asked(start, size))
        glibc_say_chunk(start, size, HEAP_USED, p + CHUNK_HDR_SZ, 0);
}

/// Whether glibc's malloc is what this process has.
int glibc_is_here(void)
{
    _try {
        return glibc_find();
    } _catch (_fault f) {
        glibc_unreadable = sprintf("%s", f.message);
        return 0;
    }
}

/// Ends the run with why there is no heap.
void glibc_explain(void)
{
    if (glibc_unreadable != "")
        _error("glibc's heap cannot be looked at, for its data cannot be read: %s", glibc_unreadable);
    if (glibc_found == "symbols")
        _error("glibc's heap makes no sense: has the program allocated anything yet?");
    _error("glibc's malloc was not found in this process: has it another allocator?");
}

// A question may walk several times, on memory that stands still.
int glibc_checked;

/// Holds what was walked against malloc's own sums, once: what differs is blocks that were not met, or were taken for larger or smaller than they are.
void glibc_check_walk(void)
{
    if (glibc_checked)
        return;
    glibc_checked = 1;
    glibc_check();
    long mapped = glibc_mapped_said() - glibc_blocks_bytes;
    heap_differs += glibc_arenas_differ() + (mapped < 0 ? -mapped : mapped);
}

/// Gives all blocks.
void glibc_give_blocks(void)
{
    if (!glibc_is_here())
        glibc_explain();
    if (heap_owners_wanted)
        glibc_learn_owners();
    glibc_walk_for = GLIBC_TO_GIVE;
    glibc_walk();
    glibc_walk_for = 0;
    // Its bins lead to free chunks, whose heads begin in the last word of the blocks before them.
    _foreach (m in glibc_arenas)
        heap_own((uint64_t)m, sizeof(struct malloc_state));
    glibc_check_walk();
}

/// Says which chunks the addresses in question lie in, and which heaps of arenas.
void glibc_what(void)
{
    if (!glibc_is_here())
        return;
    glibc_learn_owners();
    glibc_walk_for = GLIBC_TO_SAY;
    glibc_walk();
    glibc_walk_for = 0;
    if (glibc_break_end > glibc_break_start && prompt_is_asked(glibc_break_start, glibc_break_end - glibc_break_start))
        prompt_say(glibc_break_start, glibc_break_end - glibc_break_start, "glibc arena", "main, at the break");
    _foreach (start, end in glibc_segments)
        if (prompt_is_asked(start, end - start))
            prompt_say(start, end - start, "glibc arena", "main, a segment that it mapped");
    _foreach (start, end in glibc_heaps)
        if (prompt_is_asked(start, end - start))
            prompt_say(start, end - start, "glibc arena", sprintf("%ld", glibc_number_of_arena(((heap_info *)start)->ar_ptr)));
    glibc_check_walk();
}

/// The number of an arena, as in the names of sums; -1 for none.
long glibc_number_of_arena(struct malloc_state *m)
{
    _foreach (i, known in glibc_arenas)
        if (known == m)
            return i;
    return -1;
}

#endif
