#!/usr/bin/env -S ytrace run
/// What a LuaJIT heap consists of: objects by type, strings by size, tables by shape and waste, C data by C type and finalizer, traces, the allocator's
/// free memory.
///
/// The sum of all types and of the machine itself is the collector's own count, `gc.total`, to the byte. Who holds the memory shows `lua-gc-fgraph`.

#include <luajit/vm.y>
#include <luajit/stats.y>
#include <luajit/alloc.y>

_option _str vm = "auto"; /// which machine: auto, http, stream, standalone, scan
_option int most = 10;    /// how many C types, wasteful tables and traced functions are shown

struct kind_row {
    _str type;
    long number;
    long bytes;
    long average_bytes;
    long biggest_bytes;
    void *biggest;
};
struct string_row {
    _str size;
    long number;
    long bytes;
};
struct table_row {
    _str shape;
    long tables;
    long bytes;
    long slots;
    long used;
    long waste_bytes;
};
struct waste_row {
    void *address;
    long array_slots;
    long hash_slots;
    long used;
    long waste_bytes;
};
struct cdata_row {
    _str c_type;
    long number;
    long bytes;
    long biggest_bytes;
    long finalizers;
    _str finalizer;
};
struct userdata_row {
    _str finalizer;
    long number;
    long bytes;
    long biggest_bytes;
};
struct trace_row {
    _str function;
    long traces;
    long bytes;
    long code_bytes;
};
struct free_row {
    _str size;
    long chunks;
    long bytes;
    long largest_bytes;
};

_view pie "Lua heap by type" "bytes" long parts[_str];
_view table "Objects by type" "" struct kind_row types[];
_view table "Strings by size" "" struct string_row strings[];
_view table "Tables by shape" "" struct table_row tables[];
_view table "Tables with the most empty slots" "" struct waste_row wasteful[];
_view table "C data by type" "" struct cdata_row cdata[];
_view table "Userdata by finalizer" "" struct userdata_row userdata[];
_view table "Traces by function" "" struct trace_row traces[];
_view table "Free chunks of LuaJIT's allocator" "" struct free_row free_chunks[];

/// "32 B .. 64 B"
_str power(int bit)
{
    return sprintf("%hB .. %hB", 1ul << bit, 2ul << bit);
}

_str shape_name(int shape)
{
    switch (shape) {
    case LJ_T_ARRAY: return "array";
    case LJ_T_HASH: return "hash";
    case LJ_T_BOTH: return "array and hash";
    }
    return "empty";
}

/// The finalizers of a C type, the most frequent first, at most two.
_str finalizers_of(uint32_t id)
{
    _str names = "";
    int shown = 0;
    _foreach ((type, function), number in lj_cdata_finalizers _by number _desc) {
        if (type != id || shown == 2)
            continue;
        names = names + (shown++ ? ", " : "") + (function ? _usym(function) : "Lua function");
    }
    return names;
}

/// The name of a C type; "?" where that cannot be read.
_str type_name(uint32_t id)
{
    _try {
        return lj_ctype_name(id, 0);
    } _catch (_fault f) {
        return "?";
    }
}

_probe _oneshot {
    global_State *g = G(lj_main_state(vm));
    lj_wasteful_most = most < 0 ? 0 : most;
    lj_count_all(g);

    long total = 0, objects = 0;
    for (int gct = 4; gct <= 12; gct++) {
        struct lj_kind k = lj_kinds[gct];
        total += k.bytes;
        objects += k.number;
        if (k.number == 0)
            continue;
        _push(types, (struct kind_row){ lj_kind_name(gct), k.number, k.bytes, k.bytes / k.number, k.biggest, k.address });
        parts[lj_kind_name(gct)] = k.bytes;
    }
    _foreach (name, bytes in lj_machine) {
        total += bytes;
        _push(types, (struct kind_row){ "(" + name + ")", 1, bytes, bytes, bytes, NULL });
        parts["(machine)"] += bytes;
    }
    _sort(types _by x.bytes _desc);
    for (int bit = 0; bit < 64; bit++)
        if (lj_string_sizes[bit].number > 0)
            _push(strings, (struct string_row){ power(bit), lj_string_sizes[bit].number, lj_string_sizes[bit].bytes });
    long waste = 0;
    for (int shape = 0; shape < 4; shape++) {
        struct lj_shape s = lj_shapes[shape];
        waste += s.waste;
        if (s.tables > 0)
            _push(tables, (struct table_row){ shape_name(shape), s.tables, s.bytes, s.slots, s.used, s.waste });
    }
    _foreach (w in lj_wasteful_tables)
        _push(wasteful, (struct waste_row){ w.address, w.array, w.hash, w.used, w.waste });
    long finalizers = 0;
    _foreach (id, k in lj_cdata_kinds _by k.bytes _desc) {
        finalizers += k.finalizers;
        if (_elems(cdata) < most)
            _push(cdata, (struct cdata_row){ type_name(id), k.number, k.bytes, k.biggest, k.finalizers, finalizers_of(id) });
    }
    _foreach (function, k in lj_userdata_finalizers _by k.bytes _desc) {
        finalizers += k.number;
        if (_elems(userdata) < most)
            _push(userdata, (struct userdata_row){ function ? _usym(function) : "Lua function", k.number, k.bytes, k.biggest });
    }
    _foreach (pt, k in lj_traces_of _by k.bytes _desc _limit most) {
        _str name = "?";
        _try {
            if (pt)
                name = lj_proto_name(pt);
        } _catch (_fault f) {
            // A prototype that has been freed.
        }
        _push(traces, (struct trace_row){ name, k.number, k.bytes, k.biggest });
    }

    printf("Lua heap %hB = gc.total, difference %ld B   %ld objects   %s\n", g->gc.total, (long)g->gc.total - total, objects, lj_vm_found);
    // `collectgarbage("stop")` sets the most that there can be.
    printf("collector: %s, %s\n",
           g->gc.threshold >= (LJ_GC64 ? 1ul << 46 : 0x7ffffe00ul) ? "stopped" : sprintf("next step at %hB", g->gc.threshold),
           g->gc.state == 0 ? "at rest" : "in a cycle");
    if (waste > 0)
        printf("%hB of the tables are empty slots\n", waste);
    if (finalizers > 0)
        printf("! %ld C data and userdata have finalizers: what they hold in C is not in this heap\n", finalizers);
    if (lj_kinds[9].number > 0) {
        _str area = "";
##ifdeffield jit_State szallmcarea
        area = sprintf(", %hB of machine code areas", G2J(g)->szallmcarea);
##endif
        printf("%ld traces: %ld instructions, %ld snapshots%s\n", lj_kinds[9].number, lj_trace_instructions, lj_trace_snapshots, area);
    }
    struct lj_alloc_state *allocator = (struct lj_alloc_state *)g->allocd;
    if (lj_alloc_walk(allocator)) {
        long listed = 0, listed_chunks = 0;
        for (int i = 1; i < 5; i++) {
            listed += lj_alloc_lists[i].bytes;
            listed_chunks += lj_alloc_lists[i].chunks;
        }
        for (int bit = 0; bit < 48; bit++)
            if (lj_alloc_sizes[bit].chunks > 0)
                _push(free_chunks, (struct free_row){ power(bit), lj_alloc_sizes[bit].chunks, lj_alloc_sizes[bit].bytes, lj_alloc_sizes[bit].largest });
        printf("allocator: %hB in %ld segments, in use %hB, free %hB in %ld chunks (top %hB)\n", lj_alloc_bytes, lj_alloc_segments, lj_alloc_used, lj_alloc_free_bytes,
               lj_alloc_free_chunks, lj_alloc_lists[4].bytes);
        _assert_equal("bytes of free chunks in the segments = on the lists", lj_alloc_free_bytes, listed);
        _assert_equal("free chunks in the segments = on the lists", lj_alloc_free_chunks, listed_chunks);
        _assert_equal("in use + free + rest = segments", lj_alloc_used + lj_alloc_free_bytes + lj_alloc_other + lj_alloc_skipped, lj_alloc_bytes);
        if (lj_alloc_skipped > 0)
            _assert_equal("bytes of segments that were skipped", lj_alloc_skipped, 0);
    } else {
        printf("the allocator is the program's own (%s), not LuaJIT's\n", _usym((void *)g->allocf));
    }
    _assert_equal("g->gc.total", total, g->gc.total);
    _assert_equal("strings", lj_kinds[4].number, lj_strnum(g));
    if (lj_stats_faults > 0) {
        _warn("%ld lists could not be read to their end; the first fault: %s", lj_stats_faults, lj_stats_first_fault);
        _assert_equal("lists that could not be read", lj_stats_faults, 0);
    }
    printf("next: ytrace run probes/lua-gc-fgraph.y %s\n", _target_words());
}
