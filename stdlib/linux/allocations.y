/// Blocks of memory that were allocated while somebody looked: who got them, and which are still held.
///
/// A probe calls `allocations_got` at the return of each allocator, `allocations_released` at the entry of what gives back, and shows
/// `allocations_by_path`. With a sample, each block stands for `weight` bytes, and for `weight / size` blocks.

/// What one call path has.
struct allocations_figures {
    long bytes;     /// outstanding
    long blocks;    /// outstanding
    long allocated; /// bytes in all
    long calls;     /// blocks in all
    long freed;     /// bytes given back
};

/// A block that is held.
struct allocations_block {
    long size;   /// bytes that were asked for
    long weight; /// bytes that it stands for
    long time;   /// when it was allocated, in nanoseconds
    _path at;    /// by whom
};

struct allocations_block allocations_live[void *];

/// For how many blocks a block stands.
long allocations_count(long size, long weight)
{
    if (size <= 0 || weight <= size)
        return 1;
    return (weight + size / 2) / size;
}

/// A block has been allocated.
void allocations_got(void *p, long size, long weight, struct allocations_figures paths[_path])
{
    _path at = _ubt();
    long count = allocations_count(size, weight);
    // One allocator has called another: the outer one is meant.
    if (p in allocations_live) {
        struct allocations_block inner = allocations_live[p];
        paths[inner.at].bytes -= inner.weight;
        paths[inner.at].blocks -= allocations_count(inner.size, inner.weight);
        paths[inner.at].allocated -= inner.weight;
        paths[inner.at].calls -= allocations_count(inner.size, inner.weight);
    }
    allocations_live[p].size = size;
    allocations_live[p].weight = weight;
    allocations_live[p].time = _now_ns();
    allocations_live[p].at = at;
    paths[at].bytes += weight;
    paths[at].blocks += count;
    paths[at].allocated += weight;
    paths[at].calls += count;
}

/// A block that is held is given back.
void allocations_released(void *p, struct allocations_figures paths[_path])
{
    struct allocations_block block = allocations_live[p];
    paths[block.at].bytes -= block.weight;
    paths[block.at].blocks -= allocations_count(block.size, block.weight);
    paths[block.at].freed += block.weight;
    _delete allocations_live[p];
}

/// A block that was thought to be given back is held after all: realloc could not move it.
void allocations_kept(void *p, struct allocations_block block, struct allocations_figures paths[_path])
{
    allocations_live[p].size = block.size;
    allocations_live[p].weight = block.weight;
    allocations_live[p].time = block.time;
    allocations_live[p].at = block.at;
    paths[block.at].bytes += block.weight;
    paths[block.at].blocks += allocations_count(block.size, block.weight);
    paths[block.at].freed -= block.weight;
}

/// Leaves blocks out of the figures of what is outstanding that have not been held for so many seconds.
void allocations_leave_out_young(long seconds, struct allocations_figures paths[_path])
{
    long since = _now_ns() - seconds * 1000000000;
    _foreach (p, block in allocations_live) {
        if (block.time <= since)
            continue;
        paths[block.at].bytes -= block.weight;
        paths[block.at].blocks -= allocations_count(block.size, block.weight);
    }
}

/// The half width, in bytes, of the interval that holds a path's true figure 19 times in 20, for the path with most blocks of a sample: a block of n
/// bytes is in the sample with the probability n / every, so that the variance of a path's figure is at most its bytes times `every`.
long allocations_error(long every, struct allocations_figures paths[_path])
{
    long most = _max(paths.allocated);
    return 1.96 * sqrt((double)most * every);
}
