#!/usr/bin/env -S ytrace run
/// Which call paths make a process grow, as a flame graph: the stacks at page faults, which come where memory is used for the first time.
///
/// No function is probed. What this costs follows growth, not how much is allocated, so that it can run for hours. It misses what is put into chunks that
/// the allocator has and gives out again: that needs no new pages. The path is that of the first use, which may come later than the allocation.
///
/// At the end each page is looked up: those that have been given back meanwhile are `touched_bytes`, but not `bytes`. Where the kernel maps huge pages, one
/// fault brings more than one page; the last lines say how much of the growth is explained. A page counts as touched again where the kernel faults again: when it
/// was read first, which gives a page of zeros, and is then written to; and when it is written to after a fork, while the child shares it.

#include <linux/paths.y>

#ifdef __YTRACE_DUTY__
#error "pages are used for the first time once, and not again in a window: leave out --duty"
#endif

#ifdef __YTRACE_CHILDREN__
#error "pages of different processes have the same addresses: leave out --children, and run this on one process"
#endif

_mode live;
_max_overhead 5;

_option long pages = 4194304; /// remember so many pages at most
_option int period = 1;       /// seconds between two looks at what is in memory
_option _Bool files;          /// count pages of mapped files, too, of which the kernel maps several at a time

struct growth_figures {
    long bytes;         /// used for the first time, and still in memory
    long touched_bytes; /// used for the first time; again, if they had been given back, or at the first write after a read or a fork
};
_view flamegraph "Memory used for the first time" "bytes"
struct growth_figures paths[_path];

_view series "In memory" "bytes"
long resident[_str];

/// Who used a page first, by its address.
_path user[void *];

/// Mappings in order, as of the last look at them.
struct mapping {
    void *start, *end;
    _Bool file;
};
struct mapping mappings[];
long left_out, page, looked;
/// What was in memory at the beginning: of no file, and of files.
long before, before_files;
/// When that was.
long before_ns;
/// The process came to its end before this did.
_Bool gone;

void look_at_mappings(void)
{
    looked = _now_ns();
    _clear(mappings);
    _foreach (m in _maps())
        _push(mappings, (struct mapping){ m.start, m.end, m.inode != 0 && !(m.file ~~ rx/^\/(memfd:|dev\/zero|dev\/shm\/|SYSV)/) });
}

/// The number of the mapping at an address, or -1.
long mapping_at(void *p)
{
    long low = 0, high = _elems(mappings);
    while (low < high) {
        long middle = low + (high - low) / 2;
        if (p < mappings[middle].start)
            high = middle;
        else if (p >= mappings[middle].end)
            low = middle + 1;
        else
            return middle;
    }
    return -1;
}

/// Whether an address is of a mapped file.
_Bool is_of_file(void *p)
{
    long at = mapping_at(p), age = _now_ns() - looked;
    // Looking costs the kernel a walk of the page tables, so that there is a second between two looks: until the next one, what has been mapped since is of
    // no file, or of the file that was there. Memory takes the place of a file more often than the other way round.
    if (age > 10000000000 || (at < 0 || mappings[at].file) && age > 1000000000) {
        look_at_mappings();
        at = mapping_at(p);
    }
    return at >= 0 && mappings[at].file;
}

void look_at_memory(void)
{
    long anonymous = _process_bytes("RssAnon"), shared = _process_bytes("RssShmem"), of_files = _process_bytes("RssFile");
    // A process that comes to its end has no memory, then nothing can be told of it.
    if (anonymous < 0 || shared < 0 || of_files < 0 || anonymous + shared + of_files == 0) {
        gone = 1;
        return;
    }
    resident["of no file"] = anonymous + shared;
    resident["of files"] = of_files;
}

_probe _begin {
    if (period <= 0)
        _error("--period is a number of seconds above 0");
    page = _page_size();
    look_at_mappings();
    look_at_memory();
    before_ns = _now_ns();
    before = resident["of no file"];
    before_files = resident["of files"];
}

_probe _page_fault {
    void *p = (void *)(_arg(0) & -page);
    if (!files && is_of_file(p))
        return;
    _path by = _ubt(), at = paths_bounded(by, by in paths, _elems(paths));
    paths[at].touched_bytes += page;
    if (!(p in user) && _elems(user) >= pages) {
        left_out++;
        return;
    }
    user[p] = at;
}

_probe _timer.s(period) {
    look_at_memory();
}

/// "12.3 MB", or "-12.3 MB".
_str signed_bytes(long n)
{
    return n < 0 ? sprintf("-%hB", -n) : sprintf("%hB", n);
}

_probe _end {
    look_at_memory();
    _foreach (p, at in user) {
        long bytes = gone ? page : _resident(p, page);
        if (bytes >= 0)
            paths[at].bytes += bytes;
        else if (!gone) {
            // It goes just now.
            gone = 1;
            paths[at].bytes += page;
        }
    }
    long seconds = _watched_ns() / 1000000000;
    if (gone) {
        printf("%hB used for the first time in %ld s\n", _sum(paths.touched_bytes), seconds);
        puts("the process has gone: what of it was in memory at last nobody can tell, so that `bytes` has each page once that was used");
    } else
        printf("%hB used for the first time in %ld s, %hB of it still in memory\n", _sum(paths.touched_bytes), seconds, _sum(paths.bytes));
    // Making the probes and putting them in place takes time, in which memory may grow that no stack is known of.
    long early = _watched_until_ns() - _spanned_ns() - before_ns;
    printf("memory of no file has grown by %s, that of files by %s%s, counted from %hT before the probes were in place\n",
           signed_bytes(resident["of no file"] - before), signed_bytes(resident["of files"] - before_files),
           gone ? " until it was looked at last" : "", early > 0 ? early : 0);
    puts("what is put into chunks that the allocator has is not covered: c-memory-leak-fgraph follows it");
    if (left_out)
        _assert_equal("pages that found no room (--pages)", left_out, 0);
}
