/// Blocks of memory that were allocated while somebody looked: who got them, and which are still held.
///
/// A probe calls `allocations_got` at the return of each allocator, `allocations_released` at the entry of what gives back, and shows a table of
/// `allocations_figures` by path. With a sample, each block stands for `weight` bytes, and for `weight / size` blocks.

#ifndef LINUX_ALLOCATIONS_Y
#define LINUX_ALLOCATIONS_Y

/// The stack of an allocation; a probe that wants other frames than those of C functions defines another before it includes this.
#ifndef ALLOCATIONS_BACKTRACE
#define ALLOCATIONS_BACKTRACE _ubt()
#endif

/// What one call path has.
struct allocations_figures {
    long bytes;           /// outstanding
    long blocks;          /// outstanding
    long allocated_bytes; /// in all
    long calls;           /// blocks in all
    long freed_bytes;     /// given back
    long growth_bytes;    /// of what is outstanding, a minute, over the last interval
};

/// A path, and what can be said of it but not summed up.
struct allocations_row {
    _str allocated_by; /// the innermost functions
    long bytes, blocks, growth_bytes;
    long mean_age_ns, max_age_ns; /// of what is outstanding
    _str freed_by;                /// the stack that gives back most often, as far as it was looked at
};

/// A block that is held.
struct allocations_block {
    long size;   /// bytes that were asked for
    long weight; /// bytes that it stands for
    long time;   /// when it was allocated, in nanoseconds
    _path at;    /// by whom
};

/// What a thread gave back last.
struct allocations_gone {
    void *p;
    _path at;
};

struct allocations_block allocations_live[void *];
struct allocations_gone allocations_last[long];
/// How often a stack was seen to give back what a path had allocated.
long allocations_freers[_path, _path];

/// No more blocks are followed at a time, and no more paths told apart: memory is bounded, however long this goes on.
long allocations_most = 4 << 20;
const long allocations_most_paths = 1 << 16;
/// Blocks for which there was no room.
long allocations_left_out;

/// When the figures were taken of which growth is the difference, and what was outstanding then.
long allocations_looked;
long allocations_before[_path];

/// For how many blocks a block stands.
long allocations_count(long size, long weight)
{
    if (size <= 0 || weight <= size)
        return 1;
    return (weight + size / 2) / size;
}

/// The path that something is counted for.
_path allocations_path(_path at, struct allocations_figures paths[_path])
{
    if (at in paths || _elems(paths) < allocations_most_paths)
        return at;
    _path root;
    return root / "(further paths)";
}

/// A block has been allocated by the path.
void allocations_got_by(void *p, long size, long weight, _path by, struct allocations_figures paths[_path])
{
    long count = allocations_count(size, weight);
    // One allocator has called another: the outer one is meant.
    if (p in allocations_live) {
        struct allocations_block inner = allocations_live[p];
        paths[inner.at].bytes -= inner.weight;
        paths[inner.at].blocks -= allocations_count(inner.size, inner.weight);
        paths[inner.at].allocated_bytes -= inner.weight;
        paths[inner.at].calls -= allocations_count(inner.size, inner.weight);
    } else if (_elems(allocations_live) >= allocations_most) {
        allocations_left_out++;
        return;
    }
    _path at = allocations_path(by, paths);
    allocations_live[p].size = size;
    allocations_live[p].weight = weight;
    allocations_live[p].time = _now_ns();
    allocations_live[p].at = at;
    paths[at].bytes += weight;
    paths[at].blocks += count;
    paths[at].allocated_bytes += weight;
    paths[at].calls += count;
}

/// A block has been allocated.
void allocations_got(void *p, long size, long weight, struct allocations_figures paths[_path])
{
    allocations_got_by(p, size, weight, ALLOCATIONS_BACKTRACE, paths);
}

/// A block that is held is given back.
void allocations_released(void *p, struct allocations_figures paths[_path])
{
    struct allocations_block block = allocations_live[p];
    paths[block.at].bytes -= block.weight;
    paths[block.at].blocks -= allocations_count(block.size, block.weight);
    paths[block.at].freed_bytes += block.weight;
    allocations_last[_tid()].p = p;
    allocations_last[_tid()].at = block.at;
    _delete allocations_live[p];
}

/// A block that was thought to be given back is held after all: realloc could not move it.
void allocations_kept(void *p, struct allocations_block block, struct allocations_figures paths[_path])
{
    allocations_live[p] = block;
    paths[block.at].bytes += block.weight;
    paths[block.at].blocks += allocations_count(block.size, block.weight);
    paths[block.at].freed_bytes -= block.weight;
}

/// The memory of the process is gone, as when it executes another program: nothing of it is held any more.
void allocations_forget(struct allocations_block live[void *], struct allocations_figures paths[_path])
{
    _foreach (p, block in live) {
        paths[block.at].bytes -= block.weight;
        paths[block.at].blocks -= allocations_count(block.size, block.weight);
        paths[block.at].freed_bytes += block.weight;
    }
    _clear(live);
    _clear(allocations_last);
}

/// Notes which stack gives a block back, before or after `allocations_released` for the same hit.
void allocations_freed_by(void *p, _path by)
{
    _path at;
    if (p in allocations_live)
        at = allocations_live[p].at;
    else if (allocations_last[_tid()].p == p)
        at = allocations_last[_tid()].at;
    else
        return;
    if ((at, by) in allocations_freers || _elems(allocations_freers) < allocations_most_paths)
        allocations_freers[at, by]++;
}

/// Leaves blocks out of the figures of what is outstanding that have not been held for so many seconds.
void allocations_leave_out_young(long seconds, struct allocations_block live[void *], struct allocations_figures paths[_path])
{
    long since = _now_ns() - seconds * 1000000000;
    _foreach (p, block in live) {
        if (block.time <= since)
            continue;
        paths[block.at].bytes -= block.weight;
        paths[block.at].blocks -= allocations_count(block.size, block.weight);
    }
}

/// An interval is over: by how much has grown what is outstanding?
void allocations_interval(struct allocations_figures paths[_path])
{
    long now = _spanned_ns();
    double minutes = (now - allocations_looked) / 6e10;
    if (minutes <= 0)
        return;
    allocations_looked = now;
    _foreach (at, figures in paths) {
        paths[at].growth_bytes = (figures.bytes - allocations_before[at]) / minutes;
        allocations_before[at] = figures.bytes;
    }
}

/// The end: what is left of an interval counts if it is not much shorter than one, or there was none before. `length` is that of an interval, in seconds.
void allocations_last_interval(long length, struct allocations_figures paths[_path])
{
    if (allocations_looked == 0 || _spanned_ns() - allocations_looked >= length * 500000000)
        allocations_interval(paths);
}

/// The innermost functions of a path, without the first ones.
_str allocations_text(_path at, int without)
{
    const int shown = 5;
    _str text = "";
    while (_depth(at) > 1 && without-- > 0)
        at = _parent(at);
    for (int i = 0; i < shown && _depth(at) > 0; i++) {
        _str name = _leaf(at);
        // The offset in a function is of no interest, that in a module without names is.
        if (name ~~ rx/^([^.]+)\+0x[0-9a-f]+$/)
            name = $1;
        text = text + (i ? " ← " : "") + name;
        at = _parent(at);
    }
    return _depth(at) > 0 ? text + " ← …" : text;
}

/// The rows of the paths that hold most.
long allocations_row_of[_path];

/// Lists the paths that hold most, and who gives back what they had.
void allocations_list(long most, struct allocations_figures paths[_path], struct allocations_row rows[])
{
    _foreach (at, figures in paths _by figures.bytes _desc _limit most) {
        if (figures.bytes <= 0)
            continue;
        allocations_row_of[at] = _elems(rows);
        struct allocations_row row;
        row.allocated_by = allocations_text(at, 1);
        row.bytes = figures.bytes;
        row.blocks = figures.blocks;
        row.growth_bytes = figures.growth_bytes;
        row.freed_by = figures.freed_bytes ? "(not looked at)" : "(never freed)";
        _push(rows, row);
    }
    long best[_path];
    _foreach ((at, by), times in allocations_freers)
        if (at in allocations_row_of && times > best[at]) {
            best[at] = times;
            rows[allocations_row_of[at]].freed_by = allocations_text(by, 1);
        }
}

/// Adds to these rows how long their blocks have been held.
void allocations_list_ages(struct allocations_block live[void *], struct allocations_row rows[])
{
    long now = _now_ns();
    long seen[_path];
    _foreach (p, block in live) {
        if (!(block.at in allocations_row_of))
            continue;
        long i = allocations_row_of[block.at];
        long age = now - block.time;
        seen[block.at]++;
        rows[i].mean_age_ns += (age - rows[i].mean_age_ns) / seen[block.at];
        if (age > rows[i].max_age_ns)
            rows[i].max_age_ns = age;
    }
}

/// The half width, in bytes, of the interval that holds a path's true figure 19 times in 20, for the path with most blocks of a sample: a block of n
/// bytes is in the sample with the probability n / every, so that the variance of a path's figure is at most its bytes times `every`.
long allocations_error(long every, struct allocations_figures paths[_path])
{
    long most = _max(paths.allocated_bytes);
    return 1.96 * sqrt((double)most * every);
}

#endif
