/// Which Lua values hold the memory of a LuaJIT heap: a walk from the collector's roots, breadth-first, so that each object is counted once, under its
/// shortest chain of references. What the chains hold and what they leave over adds up to the collector's own count, `g->gc.total`, to the byte.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_GC_Y
#define LUAJIT_GC_Y

#include <luajit/walk.y>
#include <luajit/machine.y>

/// Totals, and what went wrong. A fault ends the walk of one object and is counted here.
long lj_total_bytes;
long lj_total_objects;
long lj_total_finalizers;
long lj_faults;
_str lj_first_fault;

/// Counts a fault that ended the walk of one object.
void lj_count_fault(_str message)
{
    if (lj_faults == 0)
        lj_first_fault = message;
    lj_faults++;
}

/// Walks everything on the list. A fault ends the walk of the object at hand, which has been taken off the list.
void lj_walk_all(void)
{
    while (lj_batch_next < lj_batch_end || _elems(lj_work) > 0) {
        _try {
            while (1) {
                if (lj_batch_next == lj_batch_end) {
                    if (_elems(lj_work) == 0)
                        break;
                    lj_take_batch();
                }
                lj_walk_item(lj_batch[lj_batch_next++]);
            }
        } _catch (_fault f) {
            lj_count_fault(f.message);
        }
    }
}

/// Puts a root on the list under a frame of its own.
void lj_add_root(GCobj *o, int id, _str frame)
{
    if (o && graph_visit(o))
        lj_add(o, o->gch.gct, graph_child_named(0, LJ_F_ROOT + id, frame));
}

/// What hangs on the collector's list but has not been reached. `limit` is more objects than there can be, so that a corrupt list ends.
void lj_walk_list(GCobj *o, uint64_t limit)
{
    int branch = graph_child_named(0, LJ_F_UNREACHABLE, "(unreachable)");
    while (o) {
        if (limit-- == 0)
            _raise("the list of all objects does not end: it has been cut");
        if (graph_visit(o)) {
            int gct = o->gch.gct;
            int n = graph_child_named(branch, LJ_F_KIND + gct, lj_kind_name(gct));
            graph_add_bytes(n, lj_object_size(o, gct), 1);
            if (gct == 10 && (o->gch.marked & LJ_GC_CDATA_FIN))
                lj_node_finalizers[n] += 1;
            if (gct == 6) {
                GCobj *uv = gcref(o->th.openupval);
                for (uint32_t i = 0; uv && i <= o->th.stacksize; i++) {
                    if (graph_visit(uv))
                        graph_add_bytes(n, sizeof(GCupval), 1);
                    uv = gcnext(uv);
                }
            }
        }
        o = gcnext(o);
    }
}

/// Strings in the string table that have not been reached.
void lj_walk_strings(uint64_t limit)
{
    int branch = graph_child_named(0, LJ_F_UNREACHABLE, "(unreachable)");
    int n = graph_child_named(branch, LJ_F_KIND + 4, "strings");
    GCRef *table = lj_strtab(lj_g);
    uint32_t mask = lj_strmask(lj_g);
    for (uint64_t b = 0; b <= mask; b++) {
        lj_ahead_of_strings(table, b, mask);
        // The lowest bit tells how the chain is hashed.
        GCobj *s = (GCobj *)(gcrefu(table[b]) & ~1ul);
        while (s) {
            if (limit-- == 0)
                _raise("the string table does not end: it has been cut");
            if (graph_visit(s))
                graph_add_bytes(n, lj_str_size(s->str.len), 1);
            s = gcnext(s);
        }
    }
}

/// Memory of the machine that is in no object.
void lj_add_machine(void)
{
    int vm = graph_child_named(0, LJ_F_ROOT + 20, "(machine)");
    lj_learn_machine();
    int id = 0;
    _foreach (name, bytes in lj_machine)
        graph_node_bytes[graph_child_named(vm, ++id, name)] += bytes;
}

/// The names of the C functions that finalize the most C data and userdata, for a line of the header.
_str lj_finalizer_names(void)
{
    _str names = "";
    _foreach (function, number in lj_finalizer_functions _by number _desc _limit 3) {
        if (names != "")
            names = names + ", ";
        names = names + (function ? _usym(function) : "Lua functions") + " ×" + graph_thousands(number);
    }
    if (_count(lj_finalizer_functions) > 3)
        names = names + ", …";
    return names;
}

/// Hands everything over: one entry for each chain that holds something itself.
void lj_frames_into(struct lj_held held[_path])
{
    for (int n = 0; n < graph_nodes; n++) {
        if (graph_node_bytes[n] == 0 && graph_node_count[n] == 0)
            continue;
        _path p = graph_node_path[n];
        held[p].bytes += graph_node_bytes[n];
        held[p].count += graph_node_count[n];
        held[p].finalizers += lj_node_finalizers[n];
    }
}

/// Walks the whole heap and puts what each chain of references holds into `held`. Chains are at most `depth` frames long; what lies deeper is counted
/// at the last frame. The totals and the faults are in the globals above.
void lj_walk(global_State *g, int depth, struct lj_held held[_path])
{
    lj_g = g;
    lj_cts = ctype_ctsG(g);
    graph_max_depth = depth < 1 ? 1 : depth;
    lj_registry = tabV(&g->registrytv);
    uint64_t limit = g->gc.total / 8 + 16;

    graph_visit(&g->strempty);
    // The registry's keys are the first frames. Its own memory goes to a frame of its own.
    _try {
        TValue *loaded = lj_table_get(lj_registry, "_LOADED");
        if (loaded && tvistab(loaded))
            lj_loaded = tabV(loaded);
        lj_finalizers = lj_finalizer_table(g);
        if (graph_visit(lj_registry))
            lj_push(lj_registry, 0);
        lj_add_root((GCobj *)mainthread(g), 0, "(main thread)");
        lj_add_root((GCobj *)tabref(mainthread(g)->env), 1, "_G");
##ifdeffield global_State vmthref
        lj_add_root(gcref(g->vmthref), 2, "(finalizer thread)");
##endif
        lj_add_root((GCobj *)lj_finalizers, 3, "(finalizers of cdata)");
        if (lj_cts)
            lj_add_root((GCobj *)lj_cts->miscmap, 4, "(C types)");
        for (int i = 0; i < GCROOT_MAX; i++)
            lj_add_root(gcref(g->gcroot[i]), i < GCROOT_BASEMT ? 5 : 6, i < GCROOT_BASEMT ? "(names of metamethods)" : "(metatables of types)");
        GCobj *first = gcref(g->gc.mmudata);
        GCobj *o = first;
        for (uint64_t i = 0; o && i < limit; i++) {
            o = gcnext(o);
            lj_add_root(o, 7, "(awaiting finalization)");
            if (o == first)
                break;
        }
        if (gcref(g->cur_L))
            lj_add_root(gcref(g->cur_L), 8, "(running thread)");
        // A trace that is being recorded is a root as well.
        lj_walk_trace_references(&G2J(g)->cur, graph_child_named(0, LJ_F_ROOT + 9, "(trace being recorded)"));
    } _catch (_fault f) {
        lj_count_fault(f.message);
    }
    lj_walk_all();
    // Node 0 has nothing of its own but the registry.
    int registry_node = graph_child_named(0, LJ_F_REGISTRY, "(registry)");
    graph_add_bytes(registry_node, graph_node_bytes[0], graph_node_count[0]);
    graph_node_bytes[0] = 0;
    graph_node_count[0] = 0;

    _try {
        lj_walk_list(gcref(g->gc.root), limit);
    } _catch (_fault f) {
        lj_count_fault(f.message);
    }
    _try {
        lj_walk_strings(limit);
    } _catch (_fault f) {
        lj_count_fault(f.message);
    }
    _try {
        lj_add_machine();
        lj_count_finalizers(lj_finalizers);
    } _catch (_fault f) {
        lj_count_fault(f.message);
    }
    for (int n = 0; n < graph_nodes; n++) {
        lj_total_bytes += graph_node_bytes[n];
        lj_total_objects += graph_node_count[n];
        lj_total_finalizers += lj_node_finalizers[n];
    }
    lj_frames_into(held);
    if (graph_nodes_missing > 0)
        _warn("more than %d distinct chains: %d frames are missing; try a smaller --depth or --fold", GRAPH_NODES - GRAPH_NODES_RESERVED, graph_nodes_missing);
    if (lj_faults > 0) {
        _warn("%ld objects or lists could not be read to their end; the first fault: %s", lj_faults, lj_first_fault);
        _assert_equal("objects that could not be read", lj_faults, 0);
    }
}

#endif
