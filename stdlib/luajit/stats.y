/// All objects of a LuaJIT heap by type, with no regard to what refers to them: the collector's list, the strings, open upvalues, what awaits its finalizer.
/// With what the machine has besides (<luajit/machine.y>), the sum is the collector's own count, `g->gc.total`, to the byte.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_STATS_Y
#define LUAJIT_STATS_Y

#include <luajit/machine.y>

/// What there is of one type of objects.
struct lj_kind {
    long number;
    long bytes;
    long biggest;
    void *address; // of the biggest
};
struct lj_kind lj_kinds[16];
long lj_stats_faults;
_str lj_stats_first_fault;

// Shapes of tables.
#define LJ_T_EMPTY 0
#define LJ_T_ARRAY 1
#define LJ_T_HASH 2
#define LJ_T_BOTH 3
struct lj_shape {
    long tables;
    long bytes;
    long slots;
    long used;
    long waste; // bytes of empty slots
};
struct lj_shape lj_shapes[4];
/// Tables with the most empty slots.
struct lj_wasteful {
    void *address;
    long array;
    long hash;
    long used;
    long waste;
};
struct lj_wasteful lj_wasteful_tables[];
long lj_wasteful_most = 10;
long lj_wasteful_least;

/// C data by C type: number, bytes, the biggest, and how many have a finalizer.
struct lj_cdata_kind {
    long number;
    long bytes;
    long biggest;
    long finalizers;
};
struct lj_cdata_kind lj_cdata_kinds[uint32_t];
/// Finalizers by C type and by the address of the function.
long lj_cdata_finalizers[uint32_t, void *];

/// Userdata by the function that finalizes it: number, bytes, the biggest. A Lua function is under NULL; what has none, is not here.
struct lj_kind lj_userdata_finalizers[void *];

void lj_count_userdata(GCudata *ud, uint64_t size)
{
    if (!lj_has_finalizer(ud))
        return;
    void *function = lj_metatable_finalizer[tabref(ud->metatable)];
    struct lj_kind k = lj_userdata_finalizers[function];
    k.number++;
    k.bytes += size;
    if (size > k.biggest) {
        k.biggest = size;
        k.address = ud;
    }
    lj_userdata_finalizers[function] = k;
}

/// Strings by powers of two of their sizes, headers included.
struct lj_kind lj_string_sizes[64];

/// Traces: instructions, snapshots, and by the prototype that they start in.
long lj_trace_instructions, lj_trace_snapshots, lj_trace_code;
struct lj_kind lj_traces_of[GCproto *];

/// Called for each object that is counted.
__attribute__((weak)) void lj_on_object(GCobj *o, int gct) { }

void lj_count_object(GCobj *o, int gct, uint64_t size)
{
    lj_on_object(o, gct);
    struct lj_kind k = lj_kinds[gct & 15];
    k.number++;
    k.bytes += size;
    if (size > k.biggest) {
        k.biggest = size;
        k.address = o;
    }
    lj_kinds[gct & 15] = k;
}

void lj_keep_wasteful(GCtab *t, long array, long hash, long used, long waste)
{
    if (waste <= lj_wasteful_least || lj_wasteful_most <= 0)
        return;
    _push(lj_wasteful_tables, (struct lj_wasteful){ t, array, hash, used, waste });
    if (_elems(lj_wasteful_tables) > 4 * lj_wasteful_most + 64)
        lj_cut_wasteful();
}

/// Leaves those with the most waste, the greatest first.
void lj_cut_wasteful(void)
{
    _sort(lj_wasteful_tables _by x.waste _desc);
    while (_elems(lj_wasteful_tables) > lj_wasteful_most)
        _pop(lj_wasteful_tables);
    if (_elems(lj_wasteful_tables) == lj_wasteful_most)
        lj_wasteful_least = lj_wasteful_tables[lj_wasteful_most - 1].waste;
}

void lj_count_table(GCtab *t)
{
    long asize = t->asize;
    long hsize = t->hmask > 0 ? (long)t->hmask + 1 : 0;
    long used_array = 0, used_hash = 0;
    if (asize > 0) {
        TValue *array = tvref(t->array);
        for (uint32_t i = 0; i < t->asize; i++)
            used_array += lj_word_tag(array[i].u64) != LJ_TNIL;
    }
    if (hsize > 0) {
        Node *node = noderef(t->node);
        for (uint32_t i = 0; i <= t->hmask; i++)
            used_hash += lj_word_tag(node[i].val.u64) != LJ_TNIL;
    }
    // Slot 0 of the array part is there whether or not it is used.
    long waste = (asize - used_array) * sizeof(TValue) + (hsize - used_hash) * sizeof(Node);
    int shape = (asize > 0 ? LJ_T_ARRAY : 0) | (hsize > 0 ? LJ_T_HASH : 0);
    struct lj_shape s = lj_shapes[shape];
    s.tables++;
    s.bytes += lj_table_size(t);
    s.slots += asize + hsize;
    s.used += used_array + used_hash;
    s.waste += waste;
    lj_shapes[shape] = s;
    lj_keep_wasteful(t, asize, hsize, used_array + used_hash, waste);
}

void lj_count_cdata(GCcdata *cd, uint64_t size)
{
    struct lj_cdata_kind k = lj_cdata_kinds[cd->ctypeid];
    k.number++;
    k.bytes += size;
    if (size > k.biggest)
        k.biggest = size;
    if (cd->marked & LJ_GC_CDATA_FIN)
        k.finalizers++;
    lj_cdata_kinds[cd->ctypeid] = k;
}

void lj_count_trace(GCtrace *T, uint64_t size)
{
    lj_trace_instructions += T->nins - REF_BIAS;
    lj_trace_snapshots += T->nsnap;
    uint64_t code = 0;
##ifdeffield GCtrace szmcode
    code = T->szmcode;
##endif
    lj_trace_code += code;
    GCproto *pt = (GCproto *)gcref(T->startpt);
    struct lj_kind k = lj_traces_of[pt];
    k.number++;
    k.bytes += size;
    k.biggest += code;
    lj_traces_of[pt] = k;
}

/// Counts one object of the list. `limit` bounds a thread's open upvalues.
void lj_count_one(GCobj *o)
{
    int gct = o->gch.gct;
    uint64_t size = lj_object_size(o, gct);
    switch (gct) {
    case 6: {
        // Upvalues that are still on a stack hang on the thread.
        GCobj *uv = gcref(o->th.openupval);
        for (uint32_t i = 0; uv && i <= o->th.stacksize; i++) {
            lj_count_object(uv, 5, sizeof(GCupval));
            uv = gcnext(uv);
        }
        break;
    }
    case 9:
        lj_count_trace(gco2trace(o), size);
        break;
    case 10:
        lj_count_cdata(&o->cd, size);
        break;
    case 11:
        lj_count_table(&o->tab);
        break;
    case 12:
        lj_count_userdata(&o->ud, size);
        break;
    }
    lj_count_object(o, gct, size);
}

/// Counts the objects of a list that ends with NULL, or, if `ring`, where it began. `limit` is more than there can be.
void lj_count_list(GCobj *o, uint64_t limit, int ring)
{
    GCobj *first = o;
    while (o) {
        if (limit-- == 0)
            _raise("a list of objects does not end: it has been cut");
        lj_count_one(o);
        o = gcnext(o);
        if (ring && o == first)
            break;
    }
}

/// Counts the strings.
void lj_count_strings(uint64_t limit)
{
    GCRef *table = lj_strtab(lj_g);
    uint32_t mask = lj_strmask(lj_g);
    for (uint64_t b = 0; b <= mask; b++) {
        // The lowest bit tells how the chain is hashed.
        GCobj *s = (GCobj *)(gcrefu(table[b]) & ~1ul);
        while (s) {
            if (limit-- == 0)
                _raise("the string table does not end: it has been cut");
            uint64_t size = lj_object_size(s, 4);
            lj_count_object(s, 4, size);
            int bit = 0;
            while (bit < 63 && size >> (bit + 1))
                bit++;
            struct lj_kind k = lj_string_sizes[bit];
            k.number++;
            k.bytes += size;
            lj_string_sizes[bit] = k;
            s = gcnext(s);
        }
    }
}

/// Counts the finalizers of C data by C type and function.
void lj_count_cdata_finalizers(GCtab *t)
{
    if (!t || t->hmask == 0)
        return;
    Node *node = noderef(t->node);
    for (uint32_t i = 0; i <= t->hmask; i++) {
        TValue *val = &node[i].val;
        TValue *key = &node[i].key;
        if (tvisnil(val) || !tviscdata(key))
            continue;
        void *function = NULL;
        if (tviscdata(val))
            function = *(void **)cdataptr(cdataV(val));
        lj_cdata_finalizers[cdataV(key)->ctypeid, function]++;
    }
}

void lj_stats_fault(_str message)
{
    if (lj_stats_faults++ == 0)
        lj_stats_first_fault = message;
}

/// Counts everything.
void lj_count_all(global_State *g)
{
    lj_g = g;
    lj_cts = ctype_ctsG(g);
    uint64_t limit = g->gc.total / 8 + 16;
    _try {
        lj_count_list(gcref(g->gc.root), limit, 0);
    } _catch (_fault f) {
        lj_stats_fault(f.message);
    }
    _try {
        lj_count_list(gcref(g->gc.mmudata), limit, 1);
    } _catch (_fault f) {
        lj_stats_fault(f.message);
    }
    _try {
        lj_count_strings(limit);
    } _catch (_fault f) {
        lj_stats_fault(f.message);
    }
    _try {
        lj_learn_machine();
        lj_count_cdata_finalizers(lj_finalizer_table(g));
    } _catch (_fault f) {
        lj_stats_fault(f.message);
    }
    lj_cut_wasteful();
}

#endif
