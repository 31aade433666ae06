#!/usr/bin/env -S ytrace run
/// Which call paths allocate most, freed or not, as a flame graph of bytes and calls: malloc, calloc, realloc, aligned blocks, and what is built on these, such as
/// `new` of C++.
///
/// A sample is drawn by bytes, so that it can stay on under load: the kernel takes one block in `--every` bytes, and each stands for as many. `-- --every 1`
/// takes all of them. Nothing is probed where memory is given back; c-memory-leak-fgraph tells what is not. `--duration 10s` ends it, or Ctrl-C.

#include <linux/paths.y>
#include <linux/sample.y>

_mode live;
_max_overhead 5;

_option size_t every = 65536; /// take one block in so many bytes; 1 takes each
_option size_t size[2];       /// blocks of these sizes only: 256K..512K, 1M.., ..4K

struct requested {
    long bytes, calls;
    long second_bytes, second_calls; /// a second
};
_view flamegraph "Memory asked for" "bytes"
struct requested paths[_path];

// The kernel drops what is left out: no stack is copied for it.
#define SAMPLE(n)                          \
    if ((n) < size[0] || (n) > size[1])    \
        return;                            \
    long weight = _every(every, (n) ?: 1); \
    if (!weight)                           \
        return

void count(size_t n, long weight)
{
    _path by = _ubt(), at = paths_bounded(by, by in paths, _elems(paths));
    paths[at].bytes += n ? weight : 0;
    paths[at].calls += sample_count(_now_ns(), n, weight);
}

##ifdeffunc malloc
_probe malloc(size_t n) { SAMPLE(n); count(n, weight); }
##endif

##ifdeffunc calloc
_probe calloc(size_t members, size_t each) { SAMPLE(members * each); count(members * each, weight); }
##endif

// glibc gives a block that was none before to malloc, where it is counted.
##ifdeffunc libc.so.6::malloc
#define BY_MALLOC(old) (!(old) && &malloc == &libc.so.6::malloc)
// As it does with small alignments.
#define ALIGNED_BY_MALLOC(alignment) ((alignment) <= 16 && &malloc == &libc.so.6::malloc)
##else
#define BY_MALLOC(old) 0
#define ALIGNED_BY_MALLOC(alignment) 0
##endif

##ifdeffunc realloc
_probe realloc(void *old, size_t n) {
    if (BY_MALLOC(old))
        return;
    SAMPLE(n);
    count(n, weight);
}
##endif

##ifdeffunc posix_memalign
_probe posix_memalign(void **out, size_t alignment, size_t n) {
    if (ALIGNED_BY_MALLOC(alignment))
        return;
    SAMPLE(n);
    count(n, weight);
}
##endif

##ifdeffunc memalign
#define ALONE (&aligned_alloc != &memalign)
_probe memalign(size_t alignment, size_t n) {
    if (ALIGNED_BY_MALLOC(alignment))
        return;
    SAMPLE(n);
    count(n, weight);
}
##else
#define ALONE 1
##endif

// One function under two names is one.
##ifdeffunc aligned_alloc
_probe aligned_alloc(size_t alignment, size_t n) _if (ALONE) {
    if (ALIGNED_BY_MALLOC(alignment))
        return;
    SAMPLE(n);
    count(n, weight);
}
##endif

##ifdeffunc valloc
_probe valloc(size_t n) { SAMPLE(n); count(n, weight); }
##endif

##ifdeffunc pvalloc
_probe pvalloc(size_t n) { SAMPLE(n); count(n, weight); }
##endif

_probe _end {
    double seconds = _watched_ns() / 1e9;
    if (seconds <= 0)
        return;
    _foreach (at, asked in paths) {
        paths[at].second_bytes = asked.bytes / seconds;
        paths[at].second_calls = asked.calls / seconds;
    }
    printf("%s%hB asked for in %.1f s by %ld calls: %hB and %.0f calls a second\n", every > 1 ? "≈" : "", _sum(paths.bytes), seconds, _sum(paths.calls),
           (long)(_sum(paths.bytes) / seconds), _sum(paths.calls) / seconds);
    if (every > 1)
        puts(sample_text(every, _max(paths.bytes)));
    puts("next: ytrace run c-memory-leak-fgraph.y " + _target_words());
}
