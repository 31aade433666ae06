/// The tree of reference chains that a walk of a heap builds: one node for each distinct chain of frames, found by small integer keys, so that no string is
/// made per object. Objects are added to nodes; at the end each node becomes one `_path`.

#ifndef GRAPH_CHAINS_Y
#define GRAPH_CHAINS_Y

#define GRAPH_NODE_BITS 17
#define GRAPH_NODES (1 << GRAPH_NODE_BITS)
// Kept for first frames with fixed names, of which there are fewer: what hangs there is never without a frame.
#define GRAPH_NODES_RESERVED 256

/// Node 0 is the root. When all nodes are used up, objects are added to the nearest node above them, and the result says so.
int graph_nodes = 1;
int graph_nodes_missing;
int graph_max_depth = 64;
long graph_node_bytes[GRAPH_NODES];
long graph_node_count[GRAPH_NODES];
/// Depth of the chain.
int graph_node_depth[GRAPH_NODES];
/// Whether many objects of the same kind share the node (it lies below a folded frame): counts would not be of one table there.
uint8_t graph_node_many[GRAPH_NODES];
_path graph_node_path[GRAPH_NODES];

/// The children of all nodes by key, and in front of it a direct-mapped cache.
int graph_children[uint64_t];
uint64_t graph_cache_key[4096];
int graph_cache_node[4096];

/// A key for an object that is aligned to eight bytes and lies below 2^47, and one for small numbers of some kind. They never clash.
#define graph_key_object(n, p) (((uint64_t)(p) >> 3) << GRAPH_NODE_BITS | (uint64_t)(n))
#define graph_key_number(n, kind, i) (1ul << 63 | (uint64_t)(kind) << 57 | (uint64_t)(uint32_t)(i) << GRAPH_NODE_BITS | (uint64_t)(n))

#define GRAPH_KEY_INDEX 1
#define GRAPH_KEY_NAMED 2
#define GRAPH_KEY_FOLD 3
#define GRAPH_KEY_DEEPER 4
/// The first kind of number that a walk may use for its own keys; there are 64 kinds.
#define GRAPH_KEY_OWN 8

/// The child under a key, or 0.
int graph_child_find(uint64_t key)
{
    uint64_t slot = (key ^ key >> 17 ^ key >> 31) & 4095;
    if (graph_cache_key[slot] == key)
        return graph_cache_node[slot];
    int n = graph_children[key];
    if (n) {
        graph_cache_key[slot] = key;
        graph_cache_node[slot] = n;
    }
    return n;
}

/// Whether children of a node go to `graph_deeper` because the chain is as deep as chains get. Asked before a child is looked for.
#define graph_at_depth(parent) (graph_node_depth[parent] >= graph_max_depth)

/// Whether no more nodes can be made; counts what is missing. Asked before a frame's text is made.
int graph_full(void)
{
    if (graph_nodes < GRAPH_NODES - GRAPH_NODES_RESERVED)
        return 0;
    graph_nodes_missing++;
    return 1;
}

/// Makes the child of `parent` under a key, with a frame's text. Neither `graph_at_depth`, but for `graph_deeper`, nor, but for reserved nodes, `graph_full` may hold.
int graph_child_make(uint64_t key, int parent, _str frame)
{
    int n = graph_nodes++;
    graph_node_path[n] = graph_node_path[parent] / frame;
    graph_node_depth[n] = graph_node_depth[parent] + 1;
    graph_node_many[n] = graph_node_many[parent];
    graph_children[key] = n;
    return n;
}

/// The node for all that lies below a node that is as deep as chains get: one child, which has no children itself.
int graph_deeper(int parent)
{
    if (graph_node_depth[parent] > graph_max_depth)
        return parent;
    uint64_t key = graph_key_number(parent, GRAPH_KEY_DEEPER, 0);
    int n = graph_child_find(key);
    if (n)
        return n;
    return graph_full() ? parent : graph_child_make(key, parent, "(deeper)");
}

/// The child with a fixed frame such as "(metatable)"; `id` tells the frames of one node apart.
int graph_child_named(int parent, int id, _str frame)
{
    if (graph_at_depth(parent))
        return graph_deeper(parent);
    uint64_t key = graph_key_number(parent, GRAPH_KEY_NAMED, id);
    int n = graph_child_find(key);
    if (n)
        return n;
    return parent && graph_full() ? parent : graph_child_make(key, parent, frame);
}

/// The child `[i]`.
int graph_child_index(int parent, int i)
{
    if (graph_at_depth(parent))
        return graph_deeper(parent);
    uint64_t key = graph_key_number(parent, GRAPH_KEY_INDEX, i);
    int n = graph_child_find(key);
    if (n)
        return n;
    return graph_full() ? parent : graph_child_make(key, parent, sprintf("[%d]", i));
}

/// 20001 as "20,001".
_str graph_thousands(long n)
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

/// The child that stands for many keys of one container: `what` is their kind, or "", between two brackets. The number is shown where it is that of one
/// container; pass 0 where it is not known.
int graph_child_many(int parent, int id, _str open, _str what, long number, _str close)
{
    if (graph_at_depth(parent))
        return graph_deeper(parent);
    if (graph_node_many[parent] || number > 0xfffffff)
        number = 0;
    uint64_t key = graph_key_number(parent, GRAPH_KEY_FOLD, number << 4 | id);
    int n = graph_child_find(key);
    if (n)
        return n;
    if (graph_full())
        return parent;
    if (number)
        n = graph_child_make(key, parent, open + (what == "" ? "" : what + " ") + "×" + graph_thousands(number) + close);
    else
        n = graph_child_make(key, parent, open + (what == "" ? "…" : what) + close);
    graph_node_many[n] = 1;
    return n;
}

#define graph_add_bytes(n, size, objects) (graph_node_bytes[n] += (size), graph_node_count[n] += (objects))

#endif
