#!/usr/bin/env -S ytrace run
/// Where processor time goes, as a flame graph: so often a second a sample of what runs on each processor, where that is a thread of the target. What waits is not
/// sampled.
///
/// Samples are held against the processor time that the kernel counts for the process: where they differ by more than chance, as for work that is done in step
/// with the clock, the result is partial and says so.
///
/// Where LuaJIT is in the process, Lua functions stand among the C functions; `-- --no-lua` leaves them out. Code that the trace compiler made is shown
/// as the function that its trace starts in, with the trace's number. That takes programs in the kernel (BPF), also where no LuaJIT is in the process;
/// `-- --no-lua` does without them.

#define LAYOUTS_ARE_OPTIONAL 1
#define LJ_SCAN_WITH_LIBRARY 1
#include <luajit/frames.y>
#include <linux/paths.y>

_option int hz = 99;           /// samples a second of each processor
_option _Bool threads = false; /// a tower for each thread
_option _Bool no_lua = false;  /// show no Lua functions

_view flamegraph "Processor time" "ns"
long spent[_path];
long samples, lua_samples;
int with_lua;

_probe _begin {
    if (!no_lua)
        with_lua = lj_frames_begin("auto");
}

_probe _timer.profile(hz) {
    _path none;
    _path at = no_lua ? _ubt() : lj_mixed_ubt();
    if (threads)
        at = none / sprintf("thread %d", _tid()) / at;
    spent[paths_bounded(at, at in spent, _elems(spent))] += 1000000000 / hz;
    samples++;
    if (lj_seen_lua)
        lua_samples++;
}

_probe _end {
    printf("%ld samples, %hT of processor time", samples, _sum(spent));
    if (with_lua)
        printf(", %ld of them in Lua or below it (%s)", lua_samples, lj_vm_found);
    puts("");
}
