#!/usr/bin/env -S ytrace run
/// Who allocates Lua memory, as a flame graph of Lua and C functions: strings, tables, closures, C data, whatever LuaJIT's own allocator is asked for,
/// whether the collector frees it later or not.
///
/// LuaJIT's own allocator, `lj_alloc_f`, is probed: a library without symbols for its internal functions will not do. `--every 16K` (the default) looks
/// at one allocation in so many bytes, without bias; `-- --every 1` at each.

#include <luajit/frames.y>
#include <linux/paths.y>

_max_overhead 5;

_option long every = 16384; /// look at one allocation in so many bytes; 1 looks at each
_option _str vm = "auto";   /// which machine: auto, http, stream, standalone, scan

_view flamegraph "Lua memory allocated" "bytes"
long allocated[_path];

_probe _begin {
    if (!lj_frames_begin(vm))
        _error("no LuaJIT machine found (--vm %s)", vm);
}

##ifdeffunc lj_alloc_f
_probe lj_alloc_f(void *state, void *old, size_t old_size, size_t new_size) {
    if (new_size <= old_size)
        return;
    long weight = _every(every, new_size - old_size);
    if (!weight)
        return;
    _path by = lj_mixed_ubt();
    allocated[paths_bounded(by, by in allocated, _elems(allocated))] += weight;
}
##else
_probe _begin { _error("no function lj_alloc_f: LuaJIT's file has no symbols for its own functions; install its debug package"); }
##endif

_probe _end {
    printf("%s%hB of Lua memory allocated in %ld s (%s)\n", every > 1 ? "≈" : "", _sum(allocated), _watched_ns() / 1000000000, lj_vm_found);
}
