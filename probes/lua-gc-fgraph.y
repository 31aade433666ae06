#!/usr/bin/env -S ytrace run
/// Which Lua values hold the memory of a LuaJIT heap, as a flame graph of references.
///
/// Each object is counted once, under its shortest chain of references from the collector's roots: `_LOADED.dynamic_cert.cert_cache` is what the module
/// `dynamic_cert` keeps in its field `cert_cache`. Objects that nothing refers to stand under `(unreachable)`: garbage that the collector has not
/// freed yet. Choose the width with `--weight bytes|count|finalizers`.

#include <luajit/vm.y>
#include <luajit/gc.y>
#include <linux/resident.y>

_option int depth = 64;          /// deepest reference chain that is drawn
_option int fold = 32;           /// tables with more alike keys than this show them as one frame
_option _Bool show_keys = false; /// show keys that are data (host names, serial numbers, …) instead of folding them
_option _str vm = "auto";        /// which machine: auto, http, stream, standalone, scan

_view flamegraph "Lua GC objects by reference" "bytes"
struct lj_held held[_path];

_probe _oneshot {
    lua_State *L = lj_main_state(vm);
    global_State *g = G(L);
    lj_fold = fold < 1 ? 1 : fold;
    lj_show_keys = show_keys;
    lj_walk(g, depth, held);

    long resident = resident_bytes();
    long total = g->gc.total;
    _str share = resident_share(total, resident);
    if (resident >= 0 && 5.0 * total < resident)
        printf("ONLY %s is the Lua heap\n", share);
    printf("Lua heap %hB = gc.total, difference %ld B   %s   %s\n", total, total - lj_total_bytes, share, lj_vm_found);
    printf("%s objects on %s chains\n", graph_thousands(lj_total_objects), graph_thousands(_count(held)));
    if (lj_total_finalizers > 0)
        printf("! %s finalizers (%s) hold C memory that is not in this graph\n", graph_thousands(lj_total_finalizers), lj_finalizer_names());
    _assert_equal("g->gc.total", lj_total_bytes, total);

    if (lj_total_finalizers > 1000)
        printf("next: ytrace run probes/lua-gc-fgraph.y %s --weight finalizers -o finalizers.svg\n", _target_words());
    else
        printf("next: ytrace run probes/lua-gc-fgraph.y %s -o held.svg\n", _target_words());
}
