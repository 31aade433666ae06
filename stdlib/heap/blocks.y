/// The blocks of allocators, as the prompt's heap questions see them (<heap/ask.y>). An allocator's library gives its blocks by a function that `[[heap]]` in its `prompt.toml`
/// names, and that is called once or several times: it calls `heap_block` for each block.

#ifndef HEAP_BLOCKS_Y
#define HEAP_BLOCKS_Y

#include <prompt/answers.y>

// What a block is. All but the first are free.
#define HEAP_USED 1
#define HEAP_FREE 2
#define HEAP_CACHED 3
#define HEAP_FAST 4
#define HEAP_TOP 5
#define HEAP_STATES 6

_str heap_state_names[HEAP_STATES] = { "", "in use", "free", "cached by a thread", "in a fast bin", "top" };

/// A block: where the program's part begins and how long it is, all that the allocator has for it, and whose it is (0: not known).
struct heap_block {
    uint64_t start, size;
    uint64_t whole_start, whole;
    int state;
    int owner;
};

/// Names of owners, by number.
_str heap_owner_names[] = { "" };
#define HEAP_MOST_OWNERS 1000

/// The number of an owner; 0 where there are too many.
int heap_owner_number(_str name)
{
    _foreach (i, known in heap_owner_names)
        if (known == name)
            return i;
    if (_elems(heap_owner_names) >= HEAP_MOST_OWNERS)
        return 0;
    _push(heap_owner_names, name);
    return _elems(heap_owner_names) - 1;
}

/// By how many bytes blocks differ from what their allocators say that they have. An allocator's library adds to it.
long heap_differs;

/// Whether owners are asked for. Looking for them takes a walk of its own.
int heap_owners_wanted;

/// What is done with each block; defined by what asks.
__attribute__((weak)) void heap_take(struct heap_block b) { }

/// Gives a block.
void heap_block(uint64_t start, uint64_t size, uint64_t whole_start, uint64_t whole, int state, int owner)
{
    heap_take((struct heap_block){ start, size, whole_start, whole, state, owner });
}

/// Called for what an allocator keeps for itself: words there, such as lists of free blocks, use none.
__attribute__((weak)) void heap_own(uint64_t start, uint64_t size) { }

#endif
