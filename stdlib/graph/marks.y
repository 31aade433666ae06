/// A set of addresses in the target: one bit for every eight bytes, for walks that visit each object once.

#ifndef GRAPH_MARKS_Y
#define GRAPH_MARKS_Y

// The bits lie in chunks of 1 MiB of the target, which the fixed array below has room for; a table for objects beyond.
#define GRAPH_CHUNKS 2048
uint64_t graph_bits[GRAPH_CHUNKS * 2048];
int graph_chunks;
int graph_chunk_of[uint64_t];
/// Direct-mapped: chunk number + 1, and where its bits begin.
uint64_t graph_chunk_tag[256];
uint32_t graph_chunk_base[256];
uint8_t graph_visited_beyond[uint64_t];

/// Puts a chunk into the cache, making it if there is room. Gives 0 if there is none.
int graph_chunk_load(uint64_t chunk)
{
    int c = graph_chunk_of[chunk];
    if (!c) {
        if (graph_chunks >= GRAPH_CHUNKS)
            return 0;
        c = ++graph_chunks;
        graph_chunk_of[chunk] = c;
    }
    graph_chunk_tag[chunk & 255] = chunk + 1;
    graph_chunk_base[chunk & 255] = (c - 1) * 2048;
    return 1;
}

/// 1 the first time that it is called for an object, else 0.
int graph_visit(void *o)
{
    uint64_t a = (uint64_t)o;
    uint64_t chunk = a >> 20;
    uint64_t slot = chunk & 255;
    if (graph_chunk_tag[slot] != chunk + 1 && !graph_chunk_load(chunk)) {
        if (graph_visited_beyond[a])
            return 0;
        graph_visited_beyond[a] = 1;
        return 1;
    }
    uint64_t w = graph_chunk_base[slot] + (a >> 9 & 2047);
    uint64_t bit = 1ul << (a >> 3 & 63);
    uint64_t bits = graph_bits[w];
    if (bits & bit)
        return 0;
    graph_bits[w] = bits | bit;
    return 1;
}

/// Puts an address and the one 8 bytes above it into the set.
void graph_visit_two(void *o)
{
    uint64_t a = (uint64_t)o;
    uint64_t chunk = a >> 20;
    uint64_t slot = chunk & 255;
    uint64_t at = a >> 3 & 63;
    if (at == 63 || graph_chunk_tag[slot] != chunk + 1) {
        graph_visit(o);
        graph_visit((char *)o + 8);
        return;
    }
    graph_bits[graph_chunk_base[slot] + (a >> 9 & 2047)] |= 3ul << at;
}

/// Whether an address is in the set.
int graph_has(void *o)
{
    uint64_t a = (uint64_t)o;
    uint64_t chunk = a >> 20;
    uint64_t slot = chunk & 255;
    if (graph_chunk_tag[slot] != chunk + 1) {
        if (!graph_chunk_of[chunk])
            return graph_visited_beyond[a];
        graph_chunk_load(chunk);
    }
    return (graph_bits[graph_chunk_base[slot] + (a >> 9 & 2047)] >> (a >> 3 & 63)) & 1;
}

/// 1 if the address is in the set, which it then no longer is, else 0.
int graph_take(void *o)
{
    uint64_t a = (uint64_t)o;
    uint64_t chunk = a >> 20;
    uint64_t slot = chunk & 255;
    if (graph_chunk_tag[slot] != chunk + 1) {
        if (graph_chunk_of[chunk]) {
            graph_chunk_load(chunk);
        } else {
            if (!graph_visited_beyond[a])
                return 0;
            _delete graph_visited_beyond[a];
            return 1;
        }
    }
    uint64_t w = graph_chunk_base[slot] + (a >> 9 & 2047);
    uint64_t bit = 1ul << (a >> 3 & 63);
    uint64_t bits = graph_bits[w];
    if (!(bits & bit))
        return 0;
    graph_bits[w] = bits & ~bit;
    return 1;
}

/// The word of bits that most likely holds an address's, for reading it ahead of its use.
#define graph_mark_word(o) graph_bits[graph_chunk_base[(uint64_t)(o) >> 20 & 255] + ((uint64_t)(o) >> 9 & 2047)]

/// Whether an address is known to be in the set. A look at what was used lately: 0 may be wrong.
#define graph_marked(o) \
    (graph_chunk_tag[(uint64_t)(o) >> 20 & 255] == ((uint64_t)(o) >> 20) + 1 && (graph_mark_word(o) >> ((uint64_t)(o) >> 3 & 63) & 1))

/// Whether an address is known not to be in the set. Likewise.
#define graph_unmarked(o) \
    (graph_chunk_tag[(uint64_t)(o) >> 20 & 255] == ((uint64_t)(o) >> 20) + 1 && !(graph_mark_word(o) >> ((uint64_t)(o) >> 3 & 63) & 1))

#endif
