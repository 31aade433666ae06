/// Blocks of memory of which allocations are seen in windows of time (`--duty`), and nothing of what gives them back. Whether a block is still held is asked from
/// time to time, by `WINDOWS_HELD(p, header)`, which a probe defines before it includes this: 0 if the block at `p`, of which it knows `header`, is not held.
///
/// Windows begin at random, so that each allocation has the same chance to be seen, and what was seen stands for as much more as there was time in between.
/// A block that is given back and allocated again between two windows is taken for the first one. That cannot be seen, but within windows it can: see `windows_doubt`.

#ifndef LINUX_WINDOWS_Y
#define LINUX_WINDOWS_Y

#include <linux/allocations.y>

#ifndef WINDOWS_HELD
#define WINDOWS_HELD(p, header) 1
#endif

/// What is known of a block in `allocations_live` besides.
struct windows_block {
    size_t header; /// what tells it from others
    long window;   /// the number of the window in which it was allocated
};
struct windows_block windows_blocks[void *];

/// What was seen, without what it stands for.
struct allocations_figures windows_seen[_path];

/// By the logarithm of the number of windows since a block was allocated: in how many such windows blocks were there, and how often one was then
/// allocated at the place of another.
#define WINDOWS_AGES 40
long windows_exposed[WINDOWS_AGES], windows_replaced[WINDOWS_AGES];

/// When it was asked last, in windows and in nanoseconds, and when it is to be asked again.
long windows_looked, windows_looked_ns, windows_next_ns;

int windows_age(long windows)
{
    int age = 0;
    while (windows > 1 && age < WINDOWS_AGES - 1) {
        windows >>= 1;
        age++;
    }
    return age;
}

/// A block is not held any more.
void windows_gone(void *p)
{
    struct allocations_block block = allocations_live[p];
    allocations_hold(p, block, -1, windows_seen);
    windows_seen[block.at].freed_bytes += allocations_bytes(block);
    _delete allocations_live[p];
    _delete windows_blocks[p];
}

/// A block has been allocated; what was there before has been given back.
void windows_got(void *p, long size, long weight, size_t header)
{
    long window = _windows();
    if (p in windows_blocks) {
        long age = window - windows_blocks[p].window;
        if (age > 0)
            windows_replaced[windows_age(age)]++;
        windows_gone(p);
    }
    allocations_got(p, size, weight, windows_seen);
    if (p in allocations_live) {
        windows_blocks[p].header = header;
        windows_blocks[p].window = window;
    }
}

/// Asks for each block whether it is held.
void windows_look(void)
{
    long now = _windows();
    long since = now - windows_looked;
    windows_looked = now;
    void *gone[];
    _foreach (p, block in windows_blocks) {
        long age = now - block.window;
        if (!WINDOWS_HELD(p, block.header))
            _push(gone, p);
        else if (age > 0)
            windows_exposed[windows_age(age)] += since < age ? since : age;
    }
    _foreach (i, p in gone)
        windows_gone(p);
    windows_looked_ns = _now_ns();
}

/// Leaves out what has been held for less than so many seconds.
void windows_leave_out_young(double seconds)
{
    allocations_leave_out_young(seconds, allocations_live, windows_seen);
    void *young[];
    _foreach (p, block in windows_blocks)
        if (!(p in allocations_live))
            _push(young, p);
    _foreach (i, p in young)
        _delete windows_blocks[p];
}

/// How many times more there is than was seen.
double windows_times(void)
{
    long watched = _watched_ns();
    return watched > 0 ? (double)_spanned_ns() / watched : 0;
}

/// Shows what stands for what was seen.
void windows_show(struct allocations_figures paths[_path])
{
    double times = windows_times();
    _foreach (at, seen in windows_seen) {
        paths[at].bytes = seen.bytes * times;
        paths[at].blocks = seen.blocks * times;
        paths[at].allocated_bytes = seen.allocated_bytes * times;
        paths[at].calls = seen.calls * times;
        paths[at].freed_bytes = seen.freed_bytes * times;
    }
}

/// Student's t: how many standard deviations, as they are estimated from so many windows, hold the truth 19 times in 20.
double windows_deviations(long windows)
{
    switch (windows) {
    case 2: return 12.71;
    case 3: return 4.30;
    case 4: return 3.18;
    case 5: return 2.78;
    case 6: return 2.57;
    case 7: return 2.45;
    }
    return 1.96 + 2.6 / (windows - 1);
}

/// The half width, in bytes, of the interval that holds a path's true figure 19 times in 20, for the path with the widest: by how much what is
/// held of one window differs from that of another. 0 if there were less than two windows.
long windows_error(void)
{
    long of[_path, long];
    _foreach (p, block in windows_blocks)
        of[allocations_live[p].at, block.window] += allocations_bytes(allocations_live[p]);
    double squares[_path];
    _foreach ((at, window), bytes in of)
        squares[at] += (double)bytes * bytes;
    double windows = _windows();
    double widest = 0;
    _foreach (at, square in squares) {
        double sum = windows_seen[at].bytes;
        double variance = square - sum * sum / windows;
        if (variance > widest)
            widest = variance;
    }
    double times = windows_times();
    if (windows < 2 || times <= 1)
        return 0;
    return windows_deviations(windows) * times * sqrt(widest * windows / (windows - 1) * (1 - 1 / times));
}

/// Adds, for each path, the most bytes of what is shown as held that may be of other blocks than those that were seen.
///
/// In a window it is seen when a block takes the place of one that was thought to be held. Of blocks that have been there for so many windows, that happened
/// to a share in each; between two windows it happens as much more often as there is time. So of blocks that have been there for n windows no more than
/// n times that has been replaced.
void windows_doubts(double doubts[_path])
{
    double times = windows_times();
    long now = _windows();
    _foreach (p, block in windows_blocks) {
        long age = now - block.window;
        int kind = windows_age(age);
        double replaced = windows_exposed[kind] > 0 ? (double)windows_replaced[kind] / windows_exposed[kind] : windows_replaced[kind] > 0;
        replaced *= (times - 1) * (age > 0 ? age : 1);
        doubts[allocations_live[p].at] += allocations_bytes(allocations_live[p]) * times * (replaced < 1 ? replaced : 1.0);
    }
}

/// The same of all paths.
long windows_doubt(void)
{
    double doubts[_path];
    windows_doubts(doubts);
    return _sum(doubts);
}

/// Marks the rows of paths of whose bytes some may be of blocks that came later to the same places, and says of how many at most.
void windows_mark(struct allocations_row rows[])
{
    double doubts[_path];
    windows_doubts(doubts);
    _foreach (at, bytes in doubts)
        if (at in allocations_row_of && bytes >= 1) {
            long i = allocations_row_of[at];
            rows[i].freed_by = sprintf("≤ %hB of later blocks; %s", (long)bytes, rows[i].freed_by);
        }
}

#endif
