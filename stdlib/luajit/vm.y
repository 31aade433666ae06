/// Finds the LuaJIT virtual machine of a process: through nginx's configuration, through the stand-alone program's `globalL`, or, with no
/// symbols at all, by a scan for a main thread that passes every check of <luajit/valid.y>.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_VM_Y
#define LUAJIT_VM_Y

#include <luajit/layouts.y>
#include <luajit/c.y>
#include <luajit/valid.y>
#include <nginx/lua.y>

/// How the machine was found, for headers: "http VM", "stream VM", "stand-alone", "found by scan".
_str lj_vm_found;

/// No more than this much address space is scanned; what was left out, in bytes.
#define LJ_SCAN_LIMIT (8ul << 30)
/// And no more than this of one mapping, where the machine is only one thing among others.
#define LJ_SCAN_EACH (16ul << 20)
uint64_t lj_scan_left_out;

/// Whether anything was met that may be a machine of any layout. Where nothing was, no other layout need be tried.
int lj_met;

/// Whether the words at an address look like a main thread of any layout: its tag, and `glref` with an address just behind it.
#define lj_like_gc64(p) (*(uint64_t *)((p) + 16) - (p) - 64 <= 192 && *(uint8_t *)((p) + 9) == 6)
#define lj_like_gc32(p) (*(uint32_t *)((p) + 8) - (p) - 32 <= 96 && *(uint8_t *)((p) + 5) == 6)

/// The main thread of the first valid state in one stretch of memory. A main thread's `glref` points just past the thread itself, since both are
/// parts of one GG_State, which is what the scan looks for.
lua_State *lj_scan_range(uint64_t start, uint64_t end)
{
    uint64_t glref = (uint64_t)&((lua_State *)0)->glref;
    uint64_t distance = (uint64_t)&((GG_State *)0)->g;
    int met = lj_met;
    for (uint64_t p = (start + 7) & ~7ul; p + sizeof(GG_State) <= end; p += 8) {
        if (!met && (lj_like_gc64(p) || lj_like_gc32(p)))
            met = lj_met = 1;
#if LJ_GC64
        if (*(uint64_t *)(p + glref) == p + distance && lj_valid_state((lua_State *)p))
            return (lua_State *)p;
#else
        if (*(uint32_t *)(p + glref) == p + distance && lj_valid_state((lua_State *)p))
            return (lua_State *)p;
#endif
    }
    return NULL;
}

/// Scans private writable memory that belongs to no file: LuaJIT's own allocator maps it anonymously, custom ones use the heap.
lua_State *lj_scan(void)
{
    uint64_t left = LJ_SCAN_LIMIT;
    lj_scan_left_out = 0;
    _foreach (m in _maps()) {
        if (!(m.perms ~~ rx/^rw.p/) || (m.rss == 0 && _is_live()))
            continue;
        if (m.file != "" && m.file != "[heap]" && !(m.file ~~ rx/^\[anon/))
            continue;
        if (!LJ_GC64 && (uint64_t)m.start >= 1ul << 32)
            continue;
        // Reserved address space can be huge and nearly empty.
        uint64_t size = m.end - m.start;
#ifdef LAYOUTS_ARE_OPTIONAL
        if (size > LJ_SCAN_EACH) {
            lj_scan_left_out += size - LJ_SCAN_EACH;
            size = LJ_SCAN_EACH;
        }
#endif
        if (size > left) {
            lj_scan_left_out += size;
            continue;
        }
        left -= size;
        _try {
            lua_State *L = lj_scan_range((uint64_t)m.start, (uint64_t)m.start + size);
            if (L)
                return L;
        } _catch (_fault f) {
            // A mapping that cannot be read to its end: the next one.
            lj_met = 1;
        }
    }
    return NULL;
}

/// The state that a global of the stand-alone program points to.
lua_State *lj_standalone_state(void)
{
##ifdefvar globalL
    return *(lua_State **)&globalL;
##else
    return NULL;
##endif
}

/// A state's main thread, if the state is valid; else NULL.
lua_State *lj_valid_main(lua_State *L)
{
    lj_met |= L != NULL;
    return L && lj_valid_state(L) ? mainthread(G(L)) : NULL;
}

/// Whether memory is scanned for a machine that nothing points to: where LuaJIT may be absent, and time matters, only if its library is there.
int lj_may_scan(void)
{
#ifdef LJ_SCAN_WITH_LIBRARY
    _foreach (m in _modules())
        if (m.name ~~ rx/luajit/)
            return 1;
    return 0;
#else
    return 1;
#endif
}

/// The main thread of the machine, or NULL. `which` is "http", "stream", "standalone", "scan", or "auto" for the first of these that there is.
lua_State *lj_find_main_state(_str which)
{
    lua_State *L = NULL;
    lj_met = 0;
    if (which == "auto" || which == "http") {
        L = lj_valid_main((lua_State *)ngx_http_lua_vm());
        if (L) {
            lj_vm_found = "http VM";
            return L;
        }
    }
    if (which == "auto" || which == "stream") {
        L = lj_valid_main((lua_State *)ngx_stream_lua_vm());
        if (L) {
            lj_vm_found = "stream VM";
            return L;
        }
    }
    if (which == "auto" || which == "standalone") {
        L = lj_valid_main(lj_standalone_state());
        if (L) {
            lj_vm_found = "stand-alone";
            return L;
        }
    }
    if (which == "scan" || (which == "auto" && lj_may_scan())) {
        L = lj_scan();
        if (L)
            lj_vm_found = "found by scan";
    }
    return L;
}

/// The check of <luajit/layouts.y>: whether the types in use fit a machine of this process.
int lj_valid(void)
{
    if (lj_find_main_state("auto"))
        return 1;
    // Machines of 64-bit references lie anywhere: only a search for these has looked everywhere.
    int nowhere = LJ_GC64 && !lj_met && !lj_scan_left_out;
#ifdef LAYOUTS_ARE_OPTIONAL
    return nowhere ? -2 : -1;
#else
    if (!nowhere)
        lj_none("auto");
    _try {
        lj_none("auto");
    } _catch (_fault f) {
        _error("%s", f.message);
    }
    return 0;
#endif
}

/// Explains that no machine was found.
void lj_none(_str which)
{
    if (ngx_leaving())
        _raise("no LuaJIT machine found (--vm %s): this nginx process is exiting and has closed its Lua already. Look at one that serves: `ytrace ps nginx` "
               "lists them", which);
    _raise("no LuaJIT machine found (--vm %s): looked at nginx's http and stream Lua modules, at globalL of the luajit program, and for "
           "a main thread in anonymous memory. Is LuaJIT in this process? `ytrace ps` tells; in nginx, workers have it, and so has the master "
           "once its configuration is loaded", which);
}

/// The main thread of the machine that `which` names (see `lj_find_main_state`). Ends the run with an explanation if there is none.
lua_State *lj_main_state(_str which)
{
    lua_State *L = lj_find_main_state(which);
    if (!L) {
        if (which != "auto" && which != "http" && which != "stream" && which != "standalone" && which != "scan")
            _error("--vm takes auto, http, stream, standalone or scan, not '%s'", which);
        if (lj_scan_left_out > 0)
            _warn("the scan for LuaJIT left out %hB of address space", lj_scan_left_out);
        _try {
            lj_none(which);
        } _catch (_fault f) {
            _error("%s", f.message);
        }
    }
    return L;
}

#endif
