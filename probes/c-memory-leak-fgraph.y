#!/usr/bin/env -S ytrace run
/// Which call paths allocate memory that is not given back, as a flame graph: malloc, calloc, realloc, aligned blocks, and what is built on these, such
/// as `new` of C++; with `--mmap` what is mapped as well; with `--alloc NAME --release NAME` the blocks of an allocator of the program's own instead.
///
/// Only what is allocated while this runs is seen. `--duration 10m` ends it, or Ctrl-C. Each block is followed; with `-- --every 64K` a
/// sample of them, by bytes, for targets that allocate much: the figures are then estimates. What is left out by `--size` costs no more than the hit.
/// `--duty 5%` probes for that share of the time only, and no function that gives back: whether a block is still held is read from glibc's heap.

#include <linux/allocations.y>
#include <linux/regions.y>
#include <glibc/block.y>
#ifdef __YTRACE_DUTY__
#include <glibc/held.y>
#define WINDOWS_HELD(p, header) glibc_held(p, header)
#define WINDOWS_ASK(blocks) glibc_find_starts(blocks)
#include <linux/windows.y>
#endif

#ifdef __YTRACE_CHILDREN__
#error "blocks of different processes have the same addresses: leave out --children, and run this on one process"
#endif

_mode live;
_max_overhead 5;

_option size_t every = 1;       /// follow one block in so many bytes; 1 follows each
_option size_t size[2];         /// follow blocks of these sizes only: 256K..512K, 1M.., ..4K
_option double age = 0;         /// show blocks that have been held for more than so many seconds
_option _Bool mmap;             /// follow mappings (mmap, mremap, munmap), too, but for those that malloc makes
_option _str alloc = "";        /// a function that allocates, to be followed instead of malloc and its like
_option _str release = "";      /// the function that gives back what it allocates
_option int size_argument = 0;  /// which argument of `--alloc` is the size, from 0
_option int block_argument = 0; /// which argument of `--release` is the block, from 0
_option int period = 60;        /// growth is that of the last so many seconds, told per minute
_option int freed_every = 64;   /// look at the stack of one release in so many; 0 for none
_option long blocks = 4194304;  /// follow so many blocks at a time at most
_option int rows = 20;          /// how many paths are listed with ages, those that hold most first

_view flamegraph "Memory allocated and not freed" "bytes"
struct allocations_figures paths[_path];

_view table "Age and release of what is held" "bytes"
struct allocations_row held[];

/// A block on its way through realloc: what it was before.
struct allocations_block moving[long];
/// Releases of blocks that were not seen being allocated, and what these had room for.
long earlier, earlier_bytes;
/// How often the process has executed another program.
long executed;
/// Those of each thread that the C library gave back, since anything else was seen of it.
struct unseen {
    long times, bytes;
};
struct unseen at_last[long];
/// Where the code of the C library is; where that is not known, any code may be its.
size_t library_start, library_end = (size_t)-1;

// The kernel drops what is left out: no stack is copied for it.
#define SAMPLE(n)                          \
    if ((n) < size[0] || (n) > size[1])    \
        return;                            \
    long weight = _every(every, (n) ?: 1); \
    if (!weight)                           \
        return

// What glibc has allocated says how large it is, so that the kernel can leave out what is too small to be followed. A header that is not in memory is told as a
// fault, and that release is missed.
##ifdeffunc libc.so.6::malloc
#define TOO_SMALL(p) (size[0] > 0 && &malloc == &libc.so.6::malloc && glibc_room(p) < size[0])
#define ROOM(p) (&malloc == &libc.so.6::malloc ? glibc_usable(p) : 0)
// Its realloc to nothing calls free, which is seen.
#define FREES(n) (!(n) && &malloc == &libc.so.6::malloc)
// It gives what was no block before to malloc, which has drawn the sample.
#define DRAWN(old) (every > 1 && !(old) && &malloc == &libc.so.6::malloc)
// As it does with small alignments.
#define DRAWN_ALIGNED(alignment) (every > 1 && (alignment) <= 16 && &malloc == &libc.so.6::malloc)
##else
#define FREES(n) 0
#define TOO_SMALL(p) 0
#define ROOM(p) 0
#define DRAWN(old) 0
#define DRAWN_ALIGNED(alignment) 0
##endif

// Who calls the function that was hit, at its entry.
#define CALLER (*(size_t *)_sp_reg())

// 0 looks at none: probes that would are left out.
#define FREED_EVERY (freed_every > 0 ? freed_every : 1)

_probe _begin {
    if ((alloc == "") != (release == ""))
        _error("--alloc and --release go together: one function allocates, the other one gives back");
    if (age < 0 || rows < 0 || blocks <= 0 || freed_every < 0)
        _error("--age, --rows and --freed-every are not below 0, --blocks is above 0");
    if (period <= 0)
        _error("--period is a number of seconds above 0");
    _foreach (module in _modules())
        if (module.name == "libc.so.6") {
            library_start = (size_t)module.start;
            library_end = (size_t)module.end;
        }
    allocations_most = blocks;
    allocations_notes_last = every <= 1 && freed_every > 0;
#ifdef __YTRACE_DUTY__
    if (alloc != "" || mmap)
        _error("--duty does not go with --alloc or --mmap: which blocks are held is read from the heap, for nothing that gives back is probed");
##ifdeffunc libc.so.6::malloc
    if (&malloc != &libc.so.6::malloc)
        _error("--duty reads from glibc's heap which blocks are held, and the malloc of this program is another one");
    glibc_attach();
##else
    _error("--duty reads from glibc's heap which blocks are held, and this program has no libc.so.6");
##endif
#endif
}

// Whether figures are estimates.
#ifdef __YTRACE_DUTY__
#define ESTIMATED 1
#else
#define ESTIMATED (every > 1)
#endif

/// Whether blocks are left out by their sizes.
_Bool some_sizes(void)
{
    return size[0] > 0 || size[1] != (size_t)-1;
}

/// Something else has been seen of the thread.
void goes_on(void)
{
    if (_elems(at_last) > 0)
        _delete at_last[_tid()];
}

/// A release, called from this address, of a block that was not seen being allocated. Where only some blocks are followed, that tells nothing, but of one that must have had
/// such a size: glibc gives up to 40 bytes more than were asked for, and whole pages to mappings.
void gone_unseen(size_t room, size_t caller)
{
    size_t page = _page_size(), more = room + 2 * sizeof(size_t) < page ? 64 : page;
    if (every > 1 || allocations_left_out || (some_sizes() && (room < more || room - more < size[0] || room > size[1])))
        return;
    earlier++;
    earlier_bytes += room;
    if (caller < library_start || caller >= library_end) {
        goes_on();
        return;
    }
    at_last[_tid()].times++;
    at_last[_tid()].bytes += room;
}

/// A block has been allocated.
void got(void *p, size_t n, long weight)
{
#ifdef __YTRACE_DUTY__
    windows_got(p, n, weight, glibc_header(p));
#else
    allocations_got(p, n, weight, paths);
    goes_on();
#endif
}

/// A block that is followed is given back.
void released(void *p)
{
    allocations_released(p, paths);
    goes_on();
}

// When a thread ends, glibc frees what it has cached of blocks that had been freed before: the last releases of a thread that it calls itself are none.
_probe _thread_end {
    earlier -= at_last[_tid()].times;
    earlier_bytes -= at_last[_tid()].bytes;
    _delete at_last[_tid()];
    _delete moving[_tid()];
    allocations_thread_ended();
    regions_thread_ended();
}

// Another program has memory of its own.
_probe _exec {
    executed++;
#ifdef __YTRACE_DUTY__
    windows_forget();
#else
    allocations_forget(allocations_live, paths);
#endif
    regions_forget(paths);
    _clear(moving);
    _clear(at_last);
    // It may have its library elsewhere.
    library_start = 0;
    library_end = (size_t)-1;
}

##ifdeffunc malloc
_probe malloc(size_t n) -> void *p _if (alloc == "") {
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

##ifdeffunc calloc
_probe calloc(size_t members, size_t each) -> void *p _if (alloc == "") {
    size_t n = members * each;
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

##ifdeffunc memalign
_probe memalign(size_t alignment, size_t n) -> void *p _if (alloc == "") {
    if (DRAWN_ALIGNED(alignment))
        return;
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

// One function under two names is one.
##ifdeffunc memalign
#define ALONE (&aligned_alloc != &memalign)
##else
#define ALONE 1
##endif

##ifdeffunc aligned_alloc
_probe aligned_alloc(size_t alignment, size_t n) -> void *p _if (alloc == "" && ALONE) {
    if (DRAWN_ALIGNED(alignment))
        return;
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

##ifdeffunc posix_memalign
_probe posix_memalign(void **out, size_t alignment, size_t n) -> int failed _if (alloc == "") {
    if (DRAWN_ALIGNED(alignment))
        return;
    SAMPLE(n);
    if (!failed)
        got(*out, n, weight);
}
##endif

##ifdeffunc valloc
_probe valloc(size_t n) -> void *p _if (alloc == "") {
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

##ifdeffunc pvalloc
_probe pvalloc(size_t n) -> void *p _if (alloc == "") {
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}
##endif

#ifdef __YTRACE_DUTY__
// What was no block before is given to malloc, which has been seen.
##ifdeffunc realloc
_probe realloc(void *old, size_t n) -> void *p {
    if (!old)
        return;
    SAMPLE(n);
    if (!p)
        return;
    // A block that has room for what it grows by stays what it was.
    if (p == old && glibc_same(glibc_header(p), _entry(old ? ((size_t *)old)[-1] : 0)))
        windows_resized(p, n, weight);
    else
        got(p, n, weight);
}
##endif
#else
// reallocarray calls this.
##ifdeffunc realloc
_probe realloc(void *old, size_t n) _if (alloc == "") {
    if (!old || FREES(n) || TOO_SMALL(old))
        return;
    if (!(old in allocations_live)) {
        gone_unseen(ROOM(old), 0);
        return;
    }
    moving[_tid()] = allocations_live[old];
    released(old);
}

_probe realloc(void *old, size_t n) -> void *p _if (alloc == "") {
    if (DRAWN(old))
        return;
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}

_probe realloc(void *old, size_t n) -> void *p _if (alloc == "") {
    if (!(_tid() in moving))
        return;
    if (!p && n)
        allocations_kept(old, moving[_tid()], paths);
    _delete moving[_tid()];
}
##endif

##ifdeffunc free
_probe free(void *p) _if (alloc == "" && every <= 1) {
    if (!p || TOO_SMALL(p))
        return;
    if (!(p in allocations_live)) {
        gone_unseen(ROOM(p), CALLER);
        return;
    }
    released(p);
}

// Where a sample is followed, the kernel leaves out all other blocks.
_probe free(void *p) _if (alloc == "" && every > 1 && freed_every <= 0) {
    if (!(p in allocations_live))
        return;
    released(p);
}

_probe free(void *p) _if (alloc == "" && every > 1 && freed_every > 0) {
    if (!(p in allocations_live))
        return;
    if (_every(FREED_EVERY, 1))
        allocations_freed_by(p, _ubt());
    released(p);
}

_probe free(void *p) _if (alloc == "" && every <= 1 && freed_every > 0) {
    if (!p || TOO_SMALL(p))
        return;
    if (!_every(FREED_EVERY, 1))
        return;
    allocations_freed_by(p, _ubt());
}
##endif

_probe _func(alloc) -> void *p _if (alloc != "") {
    size_t n = _arg(size_argument);
    SAMPLE(n);
    if (p)
        got(p, n, weight);
}

_probe _func(release) _if (release != "" && every <= 1) {
    void *p = (void *)_arg(block_argument);
    if (!p)
        return;
    if (!(p in allocations_live)) {
        gone_unseen(0, 0);
        return;
    }
    released(p);
}

_probe _func(release) _if (release != "" && every > 1 && freed_every <= 0) {
    void *p = (void *)_arg(block_argument);
    if (!(p in allocations_live))
        return;
    released(p);
}

_probe _func(release) _if (release != "" && every > 1 && freed_every > 0) {
    void *p = (void *)_arg(block_argument);
    if (!(p in allocations_live))
        return;
    if (_every(FREED_EVERY, 1))
        allocations_freed_by(p, _ubt());
    released(p);
}

_probe _func(release) _if (release != "" && every <= 1 && freed_every > 0) {
    void *p = (void *)_arg(block_argument);
    if (!p)
        return;
    if (!_every(FREED_EVERY, 1))
        return;
    allocations_freed_by(p, _ubt());
}

##ifdeffunc mmap
_probe mmap(void *at, size_t n) -> void *p _if (mmap) {
    if ((long)p == -1)
        return;
    _path by = _ubt();
    if (n < size[0] || n > size[1] || regions_inside_malloc(by))
        regions_replaced(p, n, paths);
    else
        regions_got(p, n, by, paths);
}

_probe munmap(void *p, size_t n) _if (mmap) {
    regions_gone(p, n, paths);
}

_probe mremap(void *old, size_t before, size_t n) _if (mmap) {
    regions_moves(old, before, paths);
}

_probe mremap(void *old, size_t before, size_t n) -> void *p _if (mmap) {
    regions_moved(p, n, _ubt(), paths);
}
##endif

#endif

#ifdef __YTRACE_DUTY__
/// Asks the heap which blocks are held, for no more than a twentieth of the time, and often enough for few of them to be taken by others.
_probe _timer.ms(200) {
    long begun = _now_ns();
    windows_fold();
    if (begun < windows_next_ns || !glibc_look())
        return;
    windows_look();
    windows_show(paths);
    windows_next_ns = begun + 20 * (_now_ns() - begun);
}
#endif

_probe _timer.s(period) {
    allocations_interval(paths);
}

_probe _end {
#ifdef __YTRACE_DUTY__
    int asked = glibc_look();
    if (asked)
        windows_look();
    windows_show(paths);
#endif
    allocations_last_interval(period, paths);
#ifdef __YTRACE_DUTY__
    if (age > 0) {
        windows_leave_out_young(age);
        windows_show(paths);
    }
#else
    if (age > 0) {
        allocations_leave_out_young(age, allocations_live, paths);
        allocations_leave_out_young(age, regions_live, paths);
    }
#endif
    allocations_list(rows, paths, held);
#ifdef __YTRACE_DUTY__
    windows_mark(held);
#endif
    allocations_list_ages(allocations_live, held);
    allocations_list_ages(regions_live, held);
    long seconds = _spanned_ns() / 1000000000;
    printf("%s%hB allocated in %ld s, %hB of it not freed in %ld blocks%s\n", ESTIMATED ? "≈" : "", _sum(paths.allocated_bytes), seconds,
           _sum(paths.bytes), _sum(paths.blocks), age > 0 ? sprintf(" that have been held for more than %g s", age) : "");
    if (age > 0 && age > _spanned_ns() / 1e9)
        puts("this ran for less than --age: no block can be as old");
#ifdef __YTRACE_DUTY__
    // Of paths that hold nothing it tells how likely a window is to see them, and not how much.
    _str held_text = _elems(windows_blocks) ? sprintf("what a path holds is within %hB of the truth, ", windows_error()) : "";
    printf("estimated from %ld windows, in which the probes were in place for %.1f %% of the time%s\n", _windows(),
           windows_times() ? 100 / windows_times() : 0.0,
           _windows() < 20 ? ", which are too few to tell how far off"
           : sprintf(": 19 times in 20 %swhat a path allocated is within %hB, and a path that no window saw is at work in less than %.1f %% of the time",
                     held_text, windows_error_allocated(), windows_unseen()));
    if (_window_slowdown(1) >= 1.01)
        printf("the target took about %.2f times as long in windows for what it did (%.2f to %.2f), which figures take into account\n", _window_slowdown(0), _window_slowdown(-1), _window_slowdown(1));
    printf("which blocks were held was read from the heap%s: one that took the place of another between two windows, with the same size, passes for it, and so does one that was given back where "
           "the heap does not tell; at most %hB of what is not freed may be such\n",
           asked ? "" : sprintf(", last %hT before the end", _now_ns() - windows_looked_ns), windows_doubt());
    if (!asked)
        puts("the memory of the process could not be read at the end");
#else
    if (every > 1)
        puts(sample_text(every, _max(paths.allocated_bytes)));
    if (every > 1)
        puts("releases of blocks that had been there before were not counted, as a sample was followed");
#endif
    if (earlier > 0)
        printf("%s%ld blocks%s that had been there before were freed\n", some_sizes() ? "at least " : "", earlier, earlier_bytes ? sprintf(" (room for %hB)", earlier_bytes) : "");
    if (executed)
        printf("another program was executed%s: what the one before it held is gone\n", executed > 1 ? sprintf(" %ld times", executed) : "");
#ifdef __YTRACE_DUTY__
    if (_elems(windows_blocks) == 0)
        puts("no block that was seen is held: how much other ones hold cannot be told");
#endif
    puts("what was allocated before this began is not covered");
    if (allocations_left_out)
        _assert_equal("blocks that found no room (--blocks)", allocations_left_out, 0);
}
