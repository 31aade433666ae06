/// Blocks of memory of which allocations are seen in windows of time (`--duty`), and nothing of what gives them back. Whether a block is still held is asked from
/// time to time, by `WINDOWS_HELD(p, header)`, which a probe defines before it includes this: 0 if the block at `p`, of which it knows `header`, is not held, 1 if
/// it is, and 2 if nothing tells that it is not. `WINDOWS_ASK(blocks)` is done before, with the blocks that will be asked for in the order of addresses.
///
/// Windows begin at random, so that each allocation has the same chance to be seen, but how long they are and what lies between them depends on what the target
/// does. So what was seen in a window stands for as much more as there was time for that window. A block that is given back and allocated again between two
/// windows is taken for the first one. That cannot be seen, but within windows it can: see `windows_doubt`.

#ifndef LINUX_WINDOWS_Y
#define LINUX_WINDOWS_Y

#include <linux/allocations.y>

#ifndef WINDOWS_HELD
#define WINDOWS_HELD(p, header) 1
#endif
#ifndef WINDOWS_ASK
#define WINDOWS_ASK(blocks)
#endif

/// What is known of a block in `allocations_live` besides.
struct windows_block {
    size_t header; /// what tells it from others
    long window;   /// the number of the window in which it was allocated
    double times;  /// for how many such blocks it stands; 0 while its window goes on
    double stands; /// for how much time its window stands, in seconds
    _Bool unsure;  /// whether nothing tells that it is held, nor that it is not
};
struct windows_block windows_blocks[void *];

/// What was seen in windows that are over, times what each stands for.
struct windows_figures {
    double bytes, blocks, allocated_bytes, calls, freed_bytes;
    double squares, products; /// of `allocated_bytes` by window: the sum of squares, and of products with the time that the window stands for
};
struct windows_figures windows_seen[_path];

/// What was seen in the window that goes on, or was the last that saw anything; its number, or 0; and its blocks.
struct allocations_figures windows_new[_path];
long windows_present;
void *windows_fresh[];

/// The last window that is over and was looked at, for how much time all of them stand, in seconds, and the sum of squares of that.
long windows_folded;
double windows_stood, windows_stood_squares;
#define WINDOWS_RECENT 8

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

/// Takes account of the windows that are over: what was seen in the last one stands for more from now on.
void windows_fold(void)
{
    long last = _windows();
    // One that goes on has no length yet.
    if (last > 0 && _window_ns(last) == 0)
        last--;
    if (last <= windows_folded)
        return;
    double all = _window_stands_ns(0) / 1e9, recent = 0;
    for (long n = windows_folded + 1 > last - WINDOWS_RECENT + 2 ? windows_folded + 1 : last - WINDOWS_RECENT + 2; n <= last; n++) {
        double stands = _window_stands_ns(n) / 1e9;
        recent += stands;
        windows_stood_squares += stands * stands;
    }
    // Of those before, which saw nothing or too much came since, the sum is known.
    long before = last - WINDOWS_RECENT + 1 - windows_folded;
    if (before > 0)
        windows_stood_squares += (all - recent - windows_stood) * (all - recent - windows_stood) / before;
    windows_stood = all;
    windows_folded = last;
    if (!windows_present || windows_present > last)
        return;
    double length = _window_ns(windows_present) / 1e9, stands = _window_stands_ns(windows_present) / 1e9;
    if (length <= 0) {
        length = _window_ns(0) / 1e9 / last;
        stands = all / last;
    }
    double times = length > 0 ? stands / length : 0;
    _foreach (at, seen in windows_new) {
        double allocated = seen.allocated_bytes * times;
        windows_seen[at].bytes += seen.bytes * times;
        windows_seen[at].blocks += seen.blocks * times;
        windows_seen[at].allocated_bytes += allocated;
        windows_seen[at].calls += seen.calls * times;
        windows_seen[at].freed_bytes += seen.freed_bytes * times;
        windows_seen[at].squares += allocated * allocated;
        windows_seen[at].products += allocated * stands;
    }
    _foreach (i, p in windows_fresh)
        if (p in windows_blocks && windows_blocks[p].window == windows_present) {
            windows_blocks[p].times = times;
            windows_blocks[p].stands = stands;
        }
    _clear(windows_new);
    _clear(windows_fresh);
    windows_present = 0;
}

/// Something is seen in a window.
void windows_see(void)
{
    long window = _windows();
    if (windows_present != window)
        windows_fold();
    windows_present = window;
}

/// A block is not shown as held any more, and as given back if it was.
void windows_gone(void *p, _Bool given_back)
{
    struct allocations_block block = allocations_live[p];
    double times = windows_blocks[p].times;
    long bytes = allocations_bytes(block);
    if (times > 0) {
        windows_seen[block.at].bytes -= bytes * times;
        windows_seen[block.at].blocks -= allocations_count(p, block) * times;
        windows_seen[block.at].freed_bytes += given_back ? bytes * times : 0;
    } else {
        allocations_hold(p, block, -1, windows_new);
        windows_new[block.at].freed_bytes += given_back ? bytes : 0;
    }
    _delete allocations_live[p];
    _delete windows_blocks[p];
}

/// The path of the hit.
_path windows_path(void)
{
    _path at = ALLOCATIONS_BACKTRACE;
    return paths_bounded(at, at in windows_seen || at in windows_new, _elems(windows_seen) + _elems(windows_new));
}

/// A block has been allocated; what was there before has been given back.
void windows_got(void *p, long size, long weight, size_t header)
{
    windows_see();
    if (p in windows_blocks) {
        long age = windows_present - windows_blocks[p].window;
        if (age > 0)
            windows_replaced[windows_age(age)]++;
        windows_gone(p, 1);
    }
    allocations_got_by(p, size, weight, windows_path(), windows_new);
    if (p in allocations_live) {
        windows_blocks[p].header = header;
        windows_blocks[p].window = windows_present;
        _push(windows_fresh, p);
    }
}

/// A block has been given another size and is the same otherwise: one that was not seen when it was allocated has no more chance to be seen by that.
void windows_resized(void *p, long size, long weight)
{
    windows_see();
    struct allocations_block block;
    block.size = size;
    block.weight = weight;
    block.time = _now_ns();
    _path at = windows_path();
    long bytes = allocations_bytes(block), before = bytes;
    // Of a sample by bytes it stands for as many as before.
    if (p in windows_blocks && weight == size && allocations_live[p].weight == allocations_live[p].size) {
        struct allocations_block known = allocations_live[p];
        before = allocations_bytes(known);
        double times = windows_blocks[p].times;
        if (times > 0)
            windows_seen[known.at].bytes += (bytes - before) * times;
        else
            windows_new[known.at].bytes += bytes - before;
        allocations_live[p].size = size;
        allocations_live[p].weight = weight;
    }
    windows_new[at].allocated_bytes += bytes;
    windows_new[at].calls += allocations_count(p, block);
    windows_new[at].freed_bytes += before;
}

/// Asks for each block whether it is held.
void windows_look(void)
{
    windows_fold();
    long now = _windows();
    long since = now - windows_looked;
    windows_looked = now;
    void *asked[], *gone[];
    _foreach (p in windows_blocks)
        _push(asked, p);
    _sort(asked);
    WINDOWS_ASK(asked);
    _foreach (i, p in asked) {
        long age = now - windows_blocks[p].window;
        int held = WINDOWS_HELD(p, windows_blocks[p].header);
        if (!held) {
            _push(gone, p);
            continue;
        }
        windows_blocks[p].unsure = held > 1;
        if (age > 0)
            windows_exposed[windows_age(age)] += since < age ? since : age;
    }
    _foreach (i, p in gone)
        windows_gone(p, 1);
    windows_looked_ns = _now_ns();
}

/// Leaves out what has been held for less than so many seconds.
void windows_leave_out_young(double seconds)
{
    long since = _watched_until_ns() - (long)(seconds * 1e9);
    void *young[];
    _foreach (p, block in allocations_live)
        if (block.time > since)
            _push(young, p);
    _foreach (i, p in young)
        windows_gone(p, 0);
}

/// The memory of the process is gone: nothing of it is held any more.
void windows_forget(void)
{
    void *all[];
    _foreach (p in windows_blocks)
        _push(all, p);
    _foreach (i, p in all)
        windows_gone(p, 1);
}

/// How many times as long as the windows the whole time is.
double windows_times(void)
{
    long watched = _watched_ns();
    return watched > 0 ? (double)_spanned_ns() / watched : 0;
}

/// Windows stand for what lies between them on average. By how much the whole time is longer than that, and the target slower in windows.
double windows_scale(void)
{
    return windows_stood > 0 ? _spanned_ns() / 1e9 / windows_stood * _window_slowdown(0) : 0;
}

/// By how much that may be wrong, as a share of it, for it is not known exactly how much slower the target is in windows.
double windows_inexact(void)
{
    double likely = _window_slowdown(0), more = _window_slowdown(1) - likely, less = likely - _window_slowdown(-1);
    return (more > less ? more : less) / likely;
}

/// Shows what stands for what was seen in windows that are over.
void windows_show(struct allocations_figures paths[_path])
{
    windows_fold();
    double scale = windows_scale();
    _foreach (at, seen in windows_seen) {
        paths[at].bytes = seen.bytes * scale;
        paths[at].blocks = seen.blocks * scale;
        paths[at].allocated_bytes = seen.allocated_bytes * scale;
        paths[at].calls = seen.calls * scale;
        paths[at].freed_bytes = seen.freed_bytes * scale;
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

/// The variance of a sum over windows, of which each stands for another time: by how much it differs from what the mean rate gives for that time. The sums are
/// of what windows gave, of the squares of that, and of its products with the times.
double windows_variance(double sum, double squares, double products)
{
    double rate = windows_stood > 0 ? sum / windows_stood : 0;
    double variance = squares - 2 * rate * products + rate * rate * windows_stood_squares;
    return variance > 0 ? variance : 0;
}

/// The half width of the interval that holds the truth 19 times in 20, in bytes, of a sum over windows.
double windows_interval(double sum, double variance)
{
    long windows = windows_folded;
    double times = windows_times();
    if (windows < 2 || times <= 1)
        return 0;
    return windows_scale() * (windows_deviations(windows) * sqrt(variance * windows / (windows - 1) * (1 - 1 / times)) + windows_inexact() * sum);
}

/// That of what a path holds, for the path with the widest. 0 if there were less than two windows.
long windows_error(void)
{
    double of[_path, long];
    double sums[_path], products[_path], squares[_path];
    _foreach (p, block in windows_blocks) {
        double bytes = allocations_bytes(allocations_live[p]) * block.times;
        _path at = allocations_live[p].at;
        of[at, block.window] += bytes;
        sums[at] += bytes;
        products[at] += bytes * block.stands;
    }
    _foreach ((at, window), bytes in of)
        squares[at] += bytes * bytes;
    double widest = 0;
    _foreach (at, square in squares) {
        double interval = windows_interval(sums[at], windows_variance(sums[at], square, products[at]));
        if (interval > widest)
            widest = interval;
    }
    return widest;
}

/// That of what a path has allocated, for the path with the widest.
long windows_error_allocated(void)
{
    double widest = 0;
    _foreach (at, seen in windows_seen) {
        double interval = windows_interval(seen.allocated_bytes, windows_variance(seen.allocated_bytes, seen.squares, seen.products));
        if (interval > widest)
            widest = interval;
    }
    return widest;
}

/// In which share of the time, in per cent, a path may have allocated that no window saw, 19 times in 20: with another 3 windows in n of which each sees it,
/// all n would miss it once in 20 times.
double windows_unseen(void)
{
    return windows_folded > 3 ? 300.0 / windows_folded : 100.0;
}

/// Adds, for each path, the most bytes of what is shown as held that may be of other blocks than those that were seen, or not held.
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
        if (block.unsure)
            replaced = 1;
        doubts[allocations_live[p].at] += allocations_bytes(allocations_live[p]) * block.times * (replaced < 1 ? replaced : 1.0) * windows_scale();
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
