/// Blocks of memory that were allocated while somebody looked: who got them, and which are still held.
///
/// A probe calls `allocations_got` at the return of each allocator, `allocations_released` at the entry of what gives back, and shows a table of
/// `allocations_figures` by path. With a sample, each block stands for `weight` bytes, and on average for `weight / size` blocks. When a thread ends, the probe calls
/// `allocations_thread_ended`.

#ifndef LINUX_ALLOCATIONS_Y
#define LINUX_ALLOCATIONS_Y

#include <linux/paths.y>
#include <linux/sample.y>

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

/// What a thread gave back last, which is noted where `allocations_freed_by` may come after `allocations_released`.
struct allocations_gone {
    void *p;
    _path at;
};

struct allocations_block allocations_live[void *];
struct allocations_gone allocations_last[long];
_Bool allocations_notes_last;
/// How often a stack was seen to give back what a path had allocated.
long allocations_freers[_path, _path];

/// No more blocks are followed at a time.
long allocations_most = 4 << 20;
/// Blocks for which there was no room.
long allocations_left_out;

/// When the figures were taken of which growth is the difference, and what was outstanding then.
long allocations_looked;
long allocations_before[_path];

/// For how many blocks a block stands.
long allocations_count(void *p, struct allocations_block block)
{
    return sample_count((unsigned long)p ^ block.time, block.size, block.weight);
}

/// For how many bytes: a block of none is drawn as if it had one.
long allocations_bytes(struct allocations_block block)
{
    return block.size > 0 ? block.weight : 0;
}

/// Puts a block among what is outstanding, or with -1 for `sign` takes it out.
void allocations_hold(void *p, struct allocations_block block, int sign, struct allocations_figures paths[_path])
{
    paths[block.at].bytes += sign * allocations_bytes(block);
    paths[block.at].blocks += sign * allocations_count(p, block);
}

/// The path that something is counted for.
_path allocations_path(_path at, struct allocations_figures paths[_path])
{
    return paths_bounded(at, at in paths, _elems(paths));
}

/// A block has been allocated by the path.
void allocations_got_by(void *p, long size, long weight, _path by, struct allocations_figures paths[_path])
{
    // One allocator has called another: the outer one is meant.
    if (p in allocations_live) {
        struct allocations_block inner = allocations_live[p];
        allocations_hold(p, inner, -1, paths);
        paths[inner.at].allocated_bytes -= allocations_bytes(inner);
        paths[inner.at].calls -= allocations_count(p, inner);
    } else if (_elems(allocations_live) >= allocations_most) {
        allocations_left_out++;
        return;
    }
    struct allocations_block block;
    block.size = size;
    block.weight = weight;
    block.time = _now_ns();
    block.at = allocations_path(by, paths);
    allocations_live[p] = block;
    allocations_hold(p, block, 1, paths);
    paths[block.at].allocated_bytes += allocations_bytes(block);
    paths[block.at].calls += allocations_count(p, block);
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
    allocations_hold(p, block, -1, paths);
    paths[block.at].freed_bytes += allocations_bytes(block);
    if (allocations_notes_last) {
        allocations_last[_tid()].p = p;
        allocations_last[_tid()].at = block.at;
    }
    _delete allocations_live[p];
}

/// A block that was thought to be given back is held after all: realloc could not move it.
void allocations_kept(void *p, struct allocations_block block, struct allocations_figures paths[_path])
{
    allocations_live[p] = block;
    allocations_hold(p, block, 1, paths);
    paths[block.at].freed_bytes -= allocations_bytes(block);
}

/// The thread of the hit has come to its end: another one may get its number.
void allocations_thread_ended(void)
{
    _delete allocations_last[_tid()];
}

/// The memory of the process is gone, as when it executes another program: nothing of it is held any more.
void allocations_forget(struct allocations_block live[void *], struct allocations_figures paths[_path])
{
    _foreach (p, block in live) {
        allocations_hold(p, block, -1, paths);
        paths[block.at].freed_bytes += allocations_bytes(block);
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
    if ((at, by) in allocations_freers || _elems(allocations_freers) < paths_most)
        allocations_freers[at, by]++;
}

/// At the end, after the last interval: what has not been held for so many seconds is not shown as outstanding.
void allocations_leave_out_young(double seconds, struct allocations_block live[void *], struct allocations_figures paths[_path])
{
    long since = _watched_until_ns() - (long)(seconds * 1e9);
    void *young[];
    _foreach (p, block in live)
        if (block.time > since)
            _push(young, p);
    _foreach (i, p in young) {
        allocations_hold(p, live[p], -1, paths);
        _delete live[p];
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
        text = text + (i ? " ← " : "") + _leaf(at);
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
    long now = _watched_until_ns();
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

#endif
