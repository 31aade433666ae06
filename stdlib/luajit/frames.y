/// The tree of reference chains that <luajit/gc.y> builds: one node for each distinct chain of frames, found by small integer keys, so that no string is made
/// per object. Objects are added to nodes; at the end each node becomes one `_path`.

#ifndef LUAJIT_FRAMES_Y
#define LUAJIT_FRAMES_Y

/// What one chain of references holds. The fields are the columns that `--weight` chooses from.
struct lj_held {
    long bytes;
    long count;
    long finalizers;
};

#define LJ_NODE_BITS 17
#define LJ_NODES (1 << LJ_NODE_BITS)
// Kept for first frames with fixed names, of which there are fewer: what hangs there is never without a frame.
#define LJ_NODES_RESERVED 256

/// Node 0 is the root. When all nodes are used up, objects are added to the nearest node above them, and the result says so.
int lj_nodes = 1;
int lj_nodes_missing;
int lj_max_depth = 64;
long lj_node_bytes[LJ_NODES];
long lj_node_count[LJ_NODES];
long lj_node_finalizers[LJ_NODES];
/// Depth of the chain.
int lj_node_depth[LJ_NODES];
/// Whether many objects of the same kind share the node (it lies below a folded frame): counts would not be of one table there.
uint8_t lj_node_many[LJ_NODES];
_path lj_node_path[LJ_NODES];

/// The children of all nodes by key, and in front of it a direct-mapped cache.
int lj_children[uint64_t];
uint64_t lj_cache_key[4096];
int lj_cache_node[4096];

/// A key for an object that is aligned to eight bytes and lies below 2^47, and one for small numbers of some kind. They never clash.
#define lj_key_object(n, p) (((uint64_t)(p) >> 3) << LJ_NODE_BITS | (uint64_t)(n))
#define lj_key_number(n, kind, i) (1ul << 63 | (uint64_t)(kind) << 57 | (uint64_t)(uint32_t)(i) << LJ_NODE_BITS | (uint64_t)(n))

#define LJ_KEY_INDEX 1
#define LJ_KEY_CTYPE 2
#define LJ_KEY_UPVALUE 3
#define LJ_KEY_NAMED 4
#define LJ_KEY_FOLD 5
#define LJ_KEY_LIGHTUD 6
#define LJ_KEY_ROOT 7
#define LJ_KEY_DEEPER 8

/// The child under a key, or 0.
int lj_child_find(uint64_t key)
{
    uint64_t slot = (key ^ key >> 17 ^ key >> 31) & 4095;
    if (lj_cache_key[slot] == key)
        return lj_cache_node[slot];
    int n = lj_children[key];
    if (n) {
        lj_cache_key[slot] = key;
        lj_cache_node[slot] = n;
    }
    return n;
}

/// Whether children of a node go to `lj_deeper` because the chain is as deep as chains get. Asked before a child is looked for.
#define lj_at_depth(parent) (lj_node_depth[parent] >= lj_max_depth)

/// Whether no more nodes can be made; counts what is missing. Asked before a frame's text is made.
int lj_full(void)
{
    if (lj_nodes < LJ_NODES - LJ_NODES_RESERVED)
        return 0;
    lj_nodes_missing++;
    return 1;
}

/// Makes the child of `parent` under a key, with a frame's text. Neither `lj_at_depth`, but for `lj_deeper`, nor, but for reserved nodes, `lj_full` may hold.
int lj_child_make(uint64_t key, int parent, _str frame)
{
    int n = lj_nodes++;
    lj_node_path[n] = lj_node_path[parent] / frame;
    lj_node_depth[n] = lj_node_depth[parent] + 1;
    lj_node_many[n] = lj_node_many[parent];
    lj_children[key] = n;
    return n;
}

/// The node for all that lies below a node that is as deep as chains get: one child, which has no children itself.
int lj_deeper(int parent)
{
    if (lj_node_depth[parent] > lj_max_depth)
        return parent;
    uint64_t key = lj_key_number(parent, LJ_KEY_DEEPER, 0);
    int n = lj_child_find(key);
    if (n)
        return n;
    return lj_full() ? parent : lj_child_make(key, parent, "(deeper)");
}

/// The child with a fixed frame such as "(metatable)"; `id` tells the frames of one node apart.
int lj_child_named(int parent, int id, _str frame)
{
    if (lj_at_depth(parent))
        return lj_deeper(parent);
    uint64_t key = lj_key_number(parent, LJ_KEY_NAMED, id);
    int n = lj_child_find(key);
    if (n)
        return n;
    return parent && lj_full() ? parent : lj_child_make(key, parent, frame);
}

/// The child `[i]`.
int lj_child_index(int parent, int i)
{
    if (lj_at_depth(parent))
        return lj_deeper(parent);
    uint64_t key = lj_key_number(parent, LJ_KEY_INDEX, i);
    int n = lj_child_find(key);
    if (n)
        return n;
    return lj_full() ? parent : lj_child_make(key, parent, sprintf("[%d]", i));
}

/// 20001 as "20,001".
_str lj_thousands(long n)
{
    _str text = "";
    if (n < 0)
        return sprintf("%ld", n);
    while (n >= 1000) {
        text = sprintf(",%03ld", n % 1000) + text;
        n /= 1000;
    }
    return sprintf("%ld", n) + text;
}

/// The child that stands for many keys of one table: `what` is "string", "table", … or "" for integers. The number is shown where it is that of one table.
int lj_child_folded(int parent, int id, _str what, long number)
{
    if (lj_at_depth(parent))
        return lj_deeper(parent);
    if (lj_node_many[parent] || number > 0xfffffff)
        number = 0;
    uint64_t key = lj_key_number(parent, LJ_KEY_FOLD, number << 4 | id);
    int n = lj_child_find(key);
    if (n)
        return n;
    if (lj_full())
        return parent;
    if (number)
        n = lj_child_make(key, parent, what == "" ? "[×" + lj_thousands(number) + "]" : "[" + what + " ×" + lj_thousands(number) + "]");
    else
        n = lj_child_make(key, parent, what == "" ? "[…]" : "[" + what + "]");
    lj_node_many[n] = 1;
    return n;
}

#define lj_add_bytes(n, size, objects) (lj_node_bytes[n] += (size), lj_node_count[n] += (objects))

/// Hands everything over: one entry for each chain that holds something itself.
void lj_frames_into(struct lj_held held[_path])
{
    for (int n = 0; n < lj_nodes; n++) {
        if (lj_node_bytes[n] == 0 && lj_node_count[n] == 0)
            continue;
        _path p = lj_node_path[n];
        held[p].bytes += lj_node_bytes[n];
        held[p].count += lj_node_count[n];
        held[p].finalizers += lj_node_finalizers[n];
    }
}

// The set of visited objects: one bit for every eight bytes, in chunks of 1 MiB of the target, which the fixed array below has room for; a table for objects beyond.
#define LJ_CHUNKS 2048
uint64_t lj_bits[LJ_CHUNKS * 2048];
int lj_chunks;
int lj_chunk_of[uint64_t];
/// Direct-mapped: chunk number + 1, and where its bits begin.
uint64_t lj_chunk_tag[256];
uint32_t lj_chunk_base[256];
uint8_t lj_visited_beyond[uint64_t];

/// Puts a chunk into the cache, making it if there is room. Gives 0 if there is none.
int lj_chunk_load(uint64_t chunk)
{
    int c = lj_chunk_of[chunk];
    if (!c) {
        if (lj_chunks >= LJ_CHUNKS)
            return 0;
        c = ++lj_chunks;
        lj_chunk_of[chunk] = c;
    }
    lj_chunk_tag[chunk & 255] = chunk + 1;
    lj_chunk_base[chunk & 255] = (c - 1) * 2048;
    return 1;
}

/// 1 the first time that it is called for an object, else 0.
int lj_visit(void *o)
{
    uint64_t a = (uint64_t)o;
    uint64_t chunk = a >> 20;
    uint64_t slot = chunk & 255;
    if (lj_chunk_tag[slot] != chunk + 1 && !lj_chunk_load(chunk)) {
        if (lj_visited_beyond[a])
            return 0;
        lj_visited_beyond[a] = 1;
        return 1;
    }
    uint64_t w = lj_chunk_base[slot] + (a >> 9 & 2047);
    uint64_t bit = 1ul << (a >> 3 & 63);
    uint64_t bits = lj_bits[w];
    if (bits & bit)
        return 0;
    lj_bits[w] = bits | bit;
    return 1;
}

#endif
