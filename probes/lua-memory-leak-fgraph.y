#!/usr/bin/env -S ytrace run
/// Which Lua and C call paths allocate memory of C that is not given back, as a flame graph: `c-memory-leak-fgraph` with the Lua functions that were
/// being called among the C functions, for nginx with Lua and other programs with LuaJIT. All of its options are there.
///
/// A hit copies a part of the Lua stack too, so this costs more: use `-- --every 64K` under load.

#include <luajit/frames.y>
#define ALLOCATIONS_BACKTRACE lj_mixed_ubt()
#include "c-memory-leak-fgraph.y"

_option _str vm = "auto"; /// which machine: auto, http, stream, standalone, scan

_probe _begin {
    if (!lj_frames_begin(vm))
        _error("no LuaJIT machine found (--vm %s); c-memory-leak-fgraph shows what C functions allocate", vm);
}
