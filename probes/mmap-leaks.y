#!/usr/bin/env -S ytrace run
/// Which call paths map memory that is not unmapped: mmap, mremap and munmap of the C library, by any caller, malloc among them.
///
/// A mapping is address space: how much of it is in memory, `held` tells of the paths that have most. Only what is mapped while this runs is seen;
/// `--duration 10m` ends it, or Ctrl-C. System calls that a program makes without the C library are not seen, nor is brk, which can only grow one heap
/// (mem-growth-fgraph sees all memory that is used for the first time).

#include <linux/regions.y>

#ifdef __YTRACE_DUTY__
#error "mappings made in one window are unmapped in another: leave out --duty"
#endif

#ifdef __YTRACE_CHILDREN__
#error "mappings of different processes have the same addresses: leave out --children, and run this on one process"
#endif

_mode live;
_max_overhead 5;

_option size_t size[2];  /// follow mappings of these sizes only: 1M..2M, 64M..
_option double age = 0;  /// show mappings that are older than so many seconds
_option int period = 60; /// growth is that of the last so many seconds
_option int rows = 20;   /// how many paths are listed with ages, those that hold most first

_view flamegraph "Memory mapped and not unmapped" "bytes"
struct allocations_figures paths[_path];

struct mapped_row {
    _str mapped_by;
    long bytes, mappings;
    long resident_bytes; /// of these, in memory
    long growth_bytes;   /// a minute, over the last interval
    long mean_age_ns, max_age_ns;
};
_view table "Mappings that are held" "bytes"
struct mapped_row held[];

struct allocations_row found[];

_probe _begin {
    if (period <= 0)
        _error("--period is a number of seconds above 0");
##ifndeffunc mmap
    _error("this program has no mmap: it may make the system call by itself");
##endif
}

##ifdeffunc mmap
_probe mmap(void *at, size_t n) -> void *p {
    if ((long)p == -1)
        return;
    if (n < size[0] || n > size[1])
        regions_replaced(p, n, paths);
    else
        regions_got(p, n, _ubt(), paths);
}

_probe munmap(void *p, size_t n) {
    regions_gone(p, n, paths);
}
##endif

##ifdeffunc mremap
_probe mremap(void *old, size_t before, size_t n) {
    regions_moves(old, before, paths);
}

_probe mremap(void *old, size_t before, size_t n) -> void *p {
    regions_moved(p, n, _ubt(), paths);
}
##endif

// Another program has memory of its own.
_probe _exec {
    regions_forget(paths);
}

_probe _thread_end {
    regions_thread_ended();
}

_probe _timer.s(period) {
    allocations_interval(paths);
}

_probe _end {
    allocations_last_interval(period, paths);
    if (age > 0)
        allocations_leave_out_young(age, regions_live, paths);
    allocations_list(rows, paths, found);
    allocations_list_ages(regions_live, found);
    _foreach (i, row in found)
        _push(held, (struct mapped_row){ .mapped_by = row.allocated_by, .bytes = row.bytes, .mappings = row.blocks, .growth_bytes = row.growth_bytes,
            .mean_age_ns = row.mean_age_ns, .max_age_ns = row.max_age_ns });
    _foreach (start, region in regions_live)
        if (region.at in allocations_row_of) {
            long resident = _resident(start, region.size);
            held[allocations_row_of[region.at]].resident_bytes += resident > 0 ? resident : 0;
        }
    long seconds = _watched_ns() / 1000000000;
    printf("%hB mapped in %ld s, %hB of it not unmapped in %ld mappings\n", _sum(paths.allocated_bytes), seconds, _sum(paths.bytes), _elems(regions_live));
    puts("what was mapped before this began is not covered");
}
