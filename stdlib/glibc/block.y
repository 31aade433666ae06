/// What the header of a block tells: usable at a hit, for it is read at one place.
///
/// malloc/malloc.c of glibc 2.12 to 2.42: the word before a block has the size of its chunk, a multiple of 16, and three bits. A chunk of its own mapping
/// has two words of header; of any other the last word is the first of the chunk that follows, and belongs to the block while that is in use.

#ifndef GLIBC_BLOCK_Y
#define GLIBC_BLOCK_Y

/// The bytes that a block has room for, as `malloc_usable_size` has them. The kernel can decide by it which hits it drops; it faults for what can be no block.
size_t glibc_room(void *p)
{
    size_t header = ((size_t *)p)[-1], size = header & ~7ul;
    size_t used = header & 2 ? 2 * sizeof(size_t) : sizeof(size_t);
    return size > used ? size - used : 0;
}

/// The same, or 0 for what can be no block.
size_t glibc_usable(void *p)
{
    return p && _readable((size_t *)p - 1, sizeof(size_t)) ? glibc_room(p) : 0;
}

#endif
