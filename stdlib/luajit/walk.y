/// The walk of one LuaJIT object at a time: what it refers to, in LuaJIT's own order, each object that is seen for the first time added to the node of
/// its chain of references (<graph/chains.y>). <luajit/gc.y> starts it from the roots.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_WALK_Y
#define LUAJIT_WALK_Y

#include <luajit/layouts.y>
#include <luajit/c.y>
#include <luajit/sizes.y>
#include <luajit/ahead.y>
#include <graph/chains.y>
#include <graph/marks.y>

/// Tables with more alike keys than this show them as one frame.
long lj_fold = 32;
/// Names are fewer than this: identifiers as keys fold too where one table has more.
#define LJ_MANY_NAMES 256
/// Whether string keys that are data, not identifiers, are shown.
_Bool lj_show_keys;
/// Strings and C data of at least so many bytes get a frame of their own, as do a table's empty slots.
#define LJ_BIG 1024

/// What one chain of references holds. The fields are the columns that `--weight` chooses from.
struct lj_held {
    long bytes;
    long count;
    long finalizers;
};
long lj_node_finalizers[GRAPH_NODES];

// Kinds of keys besides those of <graph/chains.y>.
#define LJ_KEY_CTYPE GRAPH_KEY_OWN
#define LJ_KEY_UPVALUE (GRAPH_KEY_OWN + 1)
#define LJ_KEY_LIGHTUD (GRAPH_KEY_OWN + 2)

/// The child that stands for many keys of one table.
#define lj_child_folded(parent, id, what, number) graph_child_many(parent, id, "[", what, number, "]")

/// Objects whose contents are still to be walked, with their node: the pointer's upper bits above the node's.
uint64_t lj_work[];
GCtab *lj_finalizers;
GCtab *lj_loaded;
GCtab *lj_registry;
/// What the metatables seen so far say: 4, plus 1 for weak keys, 2 for weak values, 8 for a `__gc`.
int lj_metatables[GCtab *];
/// How many keys of each kind the table at hand has with values that get frames, where it is big enough to fold.
long lj_keys_string;
long lj_keys_number;
long lj_keys_other;

// Frames with fixed names, by number.
#define LJ_F_METATABLE 1
#define LJ_F_ENV 2
#define LJ_F_KEYS 3
#define LJ_F_EMPTY 4
#define LJ_F_PROTO 5
#define LJ_F_STACK 6
#define LJ_F_UPVALUES 7
#define LJ_F_TRACE 8
#define LJ_F_BUFFER 9
#define LJ_F_TRUE 10
#define LJ_F_FALSE 11
#define LJ_F_REGISTRY 12
#define LJ_F_UNREACHABLE 20
#define LJ_F_KIND 32
#define LJ_F_ROOT 64

#ifdef LJ_ON_PUSH
#define lj_push(o, n) do { LJ_ON_PUSH((void *)(o), n); _push(lj_work, graph_key_object((n), (o))); } while (0)
#else
#define lj_push(o, n) _push(lj_work, graph_key_object((n), (o)))
#endif

/// Sets what a metatable means for the tables and userdata that have it.
int lj_metatable_mode(GCtab *mt)
{
    int mode = lj_metatables[mt];
    if (mode)
        return mode;
    mode = 4;
    if (mt->hmask > 0) {
        Node *node = noderef(mt->node);
        uint64_t name_mode = gcrefu(lj_g->gcroot[3]);
        for (uint32_t i = 0; i <= mt->hmask; i++) {
            TValue *key = &node[i].key;
            TValue *val = &node[i].val;
            if (tvisnil(val) || !tvisstr(key))
                continue;
            if ((uint64_t)gcval(key) == name_mode && tvisstr(val)) {
                GCstr *s = strV(val);
                for (uint32_t j = 0; j < s->len && j < 64; j++) {
                    if (strdata(s)[j] == 'k')
                        mode |= 1;
                    if (strdata(s)[j] == 'v')
                        mode |= 2;
                }
            }
        }
    }
    lj_metatables[mt] = mode;
    return mode;
}

/// Adds C data to the frame of its C type below node `n`.
void lj_add_cdata(GCcdata *cd, uint64_t size, int n)
{
    uint32_t id = cd->ctypeid;
    int c;
    if (graph_at_depth(n)) {
        c = graph_deeper(n);
    } else {
        uint64_t key = graph_key_number(n, LJ_KEY_CTYPE, id);
        c = graph_child_find(key);
        if (!c)
            c = graph_full() ? n : graph_child_make(key, n, "cdata " + lj_ctype_name(id, 0));
    }
    graph_node_bytes[c] += size;
    graph_node_count[c] += 1;
    if (cd->marked & LJ_GC_CDATA_FIN)
        lj_node_finalizers[c] += 1;
}

/// Adds an object that has just been visited for the first time to node `n`: at once if it refers to nothing, else it is put on the list.
void lj_add(GCobj *o, int gct, int n)
{
    switch (gct) {
    case 4:
        graph_add_bytes(n, lj_object_size(o, 4), 1);
        break;
    case 10:
        lj_add_cdata(&o->cd, lj_cdata_size(&o->cd), n);
        break;
    case 8:
        if (isluafunc(&o->fn) && graph_at_depth(n)) {
            n = graph_deeper(n);
        } else if (isluafunc(&o->fn)) {
            GCproto *pt = funcproto(&o->fn);
            uint64_t key = graph_key_object(n, pt);
            int c = graph_child_find(key);
            if (!c)
                c = graph_full() ? n : graph_child_make(key, n, "function " + lj_proto_name(pt));
            n = c;
        }
        lj_push(o, n);
        break;
    default:
        lj_push(o, n);
    }
}

/// Adds the value of a slot, given as one word, to node `n` if it is an object not seen before.
void lj_add_word(uint64_t w, int n)
{
    uint32_t tag = lj_word_tag(w);
    if (!lj_tag_isgc(tag))
        return;
    GCobj *o = lj_word_gc(w);
    if (graph_visit(o))
        lj_add(o, ~tag, n);
}

/// Counts the keys of a big table by kind; strings as values get no frame, so their keys do not count.
void lj_count_keys(GCtab *t)
{
    lj_keys_string = 0;
    lj_keys_number = 0;
    lj_keys_other = 0;
    TValue *array = tvref(t->array);
    for (uint32_t i = 0; i < t->asize; i++) {
        uint32_t tag = lj_word_tag(array[i].u64);
        if (lj_tag_isgc(tag) && tag != LJ_TSTR)
            lj_keys_number++;
    }
    if (t->hmask == 0)
        return;
    Node *node = noderef(t->node);
    for (uint32_t i = 0; i <= t->hmask; i++) {
        uint32_t tag = lj_word_tag(node[i].val.u64);
        if (!lj_tag_isgc(tag) || tag == LJ_TSTR)
            continue;
        uint32_t ktag = lj_word_tag(node[i].key.u64);
        if (ktag == LJ_TSTR)
            lj_keys_string++;
        else if (ktag < LJ_TISNUM)
            lj_keys_number++;
        else
            lj_keys_other++;
    }
}

/// The node of a string key that has none yet.
int lj_string_key_make(GCtab *t, uint64_t key, GCstr *s, int n)
{
    if (graph_full())
        return n;
    if (t == lj_registry)
        return graph_child_make(key, n, _tostr(strdata(s)));
    // Modules are named by their files.
    if (t == lj_loaded || lj_is_name(s))
        return graph_child_make(key, n, "." + _tostr(strdata(s)));
    if (lj_show_keys && lj_keys_string <= lj_fold)
        return graph_child_make(key, n, "[\"" + _tostr(strdata(s), s->len < 64 ? s->len : 64) + "\"]");
    int c = lj_child_folded(n, 1, "string", lj_keys_string > lj_fold ? lj_keys_string : 0);
    if (c != n && !graph_node_many[n])
        graph_children[key] = c;
    return c;
}

/// The node of the value under a key of a table's hash part.
int lj_key_node(GCtab *t, TValue *key, uint64_t kw, uint32_t ktag, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    if (ktag == LJ_TSTR) {
        if (lj_keys_string > LJ_MANY_NAMES && lj_keys_string > lj_fold && t != lj_loaded && t != lj_registry)
            return lj_child_folded(n, 1, "string", lj_keys_string);
        uint64_t ck = graph_key_object(n, lj_word_gc(kw));
        int c = graph_child_find(ck);
        return c ? c : lj_string_key_make(t, ck, strV(key), n);
    }
    if (ktag < LJ_TISNUM) {
        if (lj_keys_number > lj_fold)
            return lj_child_folded(n, 2, "", lj_keys_number);
        double d = key->n;
        if (d >= -2147483648.0 && d <= 2147483647.0 && (double)(int)d == d)
            return graph_child_index(n, (int)d);
        return lj_child_folded(n, 3, "number", 0);
    }
    long many = lj_keys_other > lj_fold ? lj_keys_other : 0;
    switch (ktag) {
    case LJ_TTRUE:
        return graph_child_named(n, LJ_F_TRUE, "[true]");
    case LJ_TFALSE:
        return graph_child_named(n, LJ_F_FALSE, "[false]");
    case LJ_TTAB:
        return lj_child_folded(n, 4, "table", many);
    case LJ_TFUNC:
        return lj_child_folded(n, 5, "function", many);
    case LJ_TCDATA:
        return lj_child_folded(n, 6, "cdata", many);
    case LJ_TUDATA:
        return lj_child_folded(n, 7, "userdata", many);
    case LJ_TTHREAD:
        return lj_child_folded(n, 8, "thread", many);
    }
    // Light userdata: C modules take addresses of their own variables as keys of the registry.
    if (t == lj_registry) {
        uint64_t ck = graph_key_number(n, LJ_KEY_LIGHTUD, kw);
        int c = graph_child_find(ck);
        if (c)
            return c;
        if (graph_full())
            return n;
#if LJ_GC64
        uint64_t address = kw & LJ_GCVMASK;
##ifdeffield GCState lightudseg
        // Since 2020 the upper bits stand in a table.
        uint64_t segment = kw >> 39 & 0xff;
        if (segment <= lj_g->gc.lightudnum && mrefu(lj_g->gc.lightudseg))
            address = (uint64_t)mref(lj_g->gc.lightudseg, uint32_t)[segment] << 32 | (kw & ((1ul << 39) - 1));
##endif
#else
        uint64_t address = kw & ((1ul << 47) - 1);
#endif
        return graph_child_make(ck, n, sprintf("[%s]", _usym((void *)address)));
    }
    return lj_child_folded(n, 9, "light userdata", many);
}

void lj_walk_table(GCtab *t, int n)
{
    uint64_t bytes = lj_table_size(t);
    long count = 1;
    uint64_t empty = 0;
    int weak = 0;
    GCtab *mt = tabref(t->metatable);
    if (mt) {
        weak = lj_metatable_mode(mt);
        if (graph_visit(mt))
            lj_push(mt, graph_child_named(n, LJ_F_METATABLE, "(metatable)"));
    }
    // The finalizers of C data are kept alive by this table, the C data is not.
    if (t == lj_finalizers)
        weak = 1;
    uint32_t asize = t->asize;
    uint32_t hmask = t->hmask;
    if ((uint64_t)asize + hmask > lj_fold) {
        lj_count_keys(t);
    } else {
        lj_keys_string = 0;
        lj_keys_number = 0;
        lj_keys_other = 0;
    }
    if (asize > 0) {
        TValue *array = tvref(t->array);
        int folded = lj_keys_number > lj_fold ? lj_child_folded(n, 2, "", lj_keys_number) : 0;
        for (uint32_t i = 0; i < asize; i++) {
            if (asize > LJ_AHEAD_SLOTS)
                lj_ahead_of_array(array, i, asize);
            uint64_t w = array[i].u64;
            uint32_t tag = lj_word_tag(w);
            if (!lj_tag_isgc(tag)) {
                if (tag == LJ_TNIL)
                    empty += sizeof(TValue);
                continue;
            }
            if ((weak & 2) && tag != LJ_TSTR)
                continue;
            GCobj *o = lj_word_gc(w);
            if (!graph_visit(o))
                continue;
            if (tag == LJ_TSTR) {
                uint64_t size = lj_str_size(o->str.len);
                if (size < LJ_BIG) {
                    bytes += size;
                    count++;
                    continue;
                }
            } else if (tag == LJ_TCDATA) {
                uint64_t size = lj_cdata_size(&o->cd);
                if (size < LJ_BIG) {
                    lj_add_cdata(&o->cd, size, n);
                    continue;
                }
            }
            lj_add(o, ~tag, folded ? folded : graph_child_index(n, i));
        }
    }
    if (hmask > 0) {
        Node *node = noderef(t->node);
        for (uint32_t i = 0; i <= hmask; i++) {
            if (hmask >= LJ_AHEAD_SLOTS)
                lj_ahead_of_nodes(node, i, hmask);
            Node *slot = &node[i];
            uint64_t w = slot->val.u64;
            uint32_t tag = lj_word_tag(w);
            if (tag == LJ_TNIL) {
                // A key may be left over there, dead.
                empty += sizeof(Node);
                continue;
            }
            uint64_t kw = slot->key.u64;
            uint32_t ktag = lj_word_tag(kw);
            if (ktag == LJ_TSTR) {
                GCobj *k = lj_word_gc(kw);
                if (graph_visit(k)) {
                    bytes += lj_str_size(k->str.len);
                    count++;
                }
            } else if (lj_tag_isgc(ktag) && !(weak & 1)) {
                GCobj *k = lj_word_gc(kw);
                if (graph_visit(k))
                    lj_add(k, ~ktag, graph_child_named(n, LJ_F_KEYS, "(keys)"));
            }
            if (!lj_tag_isgc(tag))
                continue;
            if ((weak & 2) && tag != LJ_TSTR)
                continue;
            GCobj *o = lj_word_gc(w);
            if (!graph_visit(o))
                continue;
            if (tag == LJ_TSTR) {
                uint64_t size = lj_str_size(o->str.len);
                if (size < LJ_BIG) {
                    bytes += size;
                    count++;
                    continue;
                }
            } else if (tag == LJ_TCDATA) {
                uint64_t size = lj_cdata_size(&o->cd);
                if (size < LJ_BIG) {
                    lj_add_cdata(&o->cd, size, n);
                    continue;
                }
            }
            lj_add(o, ~tag, lj_key_node(t, &slot->key, kw, ktag, n));
        }
    }
    if (empty >= LJ_BIG) {
        int c = graph_child_named(n, LJ_F_EMPTY, "(empty slots)");
        graph_node_bytes[c] += empty;
        bytes -= empty;
    }
    graph_add_bytes(n, bytes, count);
}

/// An upvalue that has just been visited for the first time, and what it holds.
void lj_add_upvalue(GCupval *uv, int n)
{
    graph_add_bytes(n, sizeof(GCupval), 1);
    lj_add_word(uvval(uv)->u64, n);
}

void lj_walk_function(GCfunc *fn, int n)
{
    graph_add_bytes(n, lj_function_size(fn), 1);
    GCtab *env = tabref(fn->c.env);
    if (env && graph_visit(env))
        lj_push(env, graph_child_named(n, LJ_F_ENV, "(env)"));
    int count = fn->c.nupvalues;
    if (!isluafunc(fn)) {
        for (int i = 0; i < count; i++) {
            uint64_t w = fn->c.upvalue[i].u64;
            if (lj_tag_isgc(lj_word_tag(w)))
                lj_add_word(w, graph_child_named(n, LJ_F_UPVALUES, "(upvalues)"));
        }
        return;
    }
    GCproto *pt = funcproto(fn);
    if (graph_visit(pt))
        lj_push(pt, graph_child_named(n, LJ_F_PROTO, "(prototype)"));
    for (int i = 0; i < count; i++) {
        GCupval *uv = &gcref(fn->l.uvptr[i])->uv;
        if (!graph_visit(uv))
            continue;
        int c;
        if (graph_at_depth(n)) {
            c = graph_deeper(n);
        } else {
            uint64_t key = graph_key_number(n, LJ_KEY_UPVALUE, i);
            c = graph_child_find(key);
            if (!c)
                c = graph_full() ? n : graph_child_make(key, n, lj_upvalue_name(pt, i));
        }
        lj_add_upvalue(uv, c);
    }
}

/// A trace by its number, if it has not been visited.
void lj_add_trace(uint32_t number, int n)
{
    jit_State *j = G2J(lj_g);
    if (number == 0 || number >= j->sizetrace)
        return;
    GCtrace *T = traceref(j, number);
    if (T && graph_visit(T))
        lj_push(T, n);
}

void lj_walk_proto(GCproto *pt, int n)
{
    uint64_t bytes = pt->sizept;
    long count = 1;
    GCstr *chunk = proto_chunkname(pt);
    if (graph_visit(chunk)) {
        bytes += lj_object_size((GCobj *)chunk, 4);
        count++;
    }
    long constants = pt->sizekgc;
    GCRef *k = mref(pt->k, GCRef);
    for (long i = -constants; i < 0; i++) {
        GCobj *o = gcref(k[i]);
        if (!graph_visit(o))
            continue;
        int gct = o->gch.gct;
        if (gct == 4) {
            bytes += lj_object_size(o, 4);
            count++;
        } else if (gct == 7) {
            int c;
            if (graph_at_depth(n)) {
                c = graph_deeper(n);
            } else {
                uint64_t key = graph_key_object(n, o);
                c = graph_child_find(key);
                if (!c)
                    c = graph_full() ? n : graph_child_make(key, n, "function " + lj_proto_name(&o->pt));
            }
            lj_push(o, c);
        } else {
            lj_add(o, gct, n);
        }
    }
    graph_add_bytes(n, bytes, count);
    if (pt->trace)
        lj_add_trace(pt->trace, graph_child_named(n, LJ_F_TRACE, "(traces)"));
}

// The types of IR constants that take a second slot: 64-bit ones.
#if LJ_GC64
#define LJ_IRT_IS64 (1u | 1u << IRT_NUM | 1u << IRT_I64 | 1u << IRT_U64 | 1u << IRT_P64 | 1u << IRT_LIGHTUD | 1u << IRT_STR | 1u << IRT_THREAD | \
                     1u << IRT_PROTO | 1u << IRT_FUNC | 1u << IRT_CDATA | 1u << IRT_TAB | 1u << IRT_UDATA)
#else
#define LJ_IRT_IS64 (1u << IRT_NUM | 1u << IRT_I64 | 1u << IRT_U64 | 1u << IRT_P64 | 1u << IRT_LIGHTUD)
#endif

/// What a trace refers to: constants of its code, traces it goes to, the prototype it starts in.
void lj_walk_trace_references(GCtrace *T, int n)
{
    if (T->traceno == 0)
        return;
    IRIns *ir = T->ir;
    for (uint32_t ref = T->nk; ref < REF_TRUE; ref++) {
        IRIns *ins = &ir[ref];
        if (ins->o == IR_KGC) {
            GCobj *o = gcref(ins[LJ_GC64].gcr);
            if (graph_visit(o))
                lj_add(o, o->gch.gct, n);
        }
        if ((LJ_IRT_IS64 >> (ins->ot & 0x1f) & 1) && ins->o != IR_KNULL)
            ref++;
    }
    lj_add_trace(T->link, n);
    lj_add_trace(T->nextroot, n);
    lj_add_trace(T->nextside, n);
    GCobj *start = gcref(T->startpt);
    if (start && graph_visit(start))
        lj_push(start, n);
}

void lj_walk_thread(lua_State *th, int n)
{
    graph_add_bytes(n, lj_thread_size(th), 1);
    GCobj *uv = gcref(th->openupval);
    for (uint32_t i = 0; uv && i <= th->stacksize; i++) {
        if (graph_visit(uv))
            graph_add_bytes(n, sizeof(GCupval), 1);
        uv = gcnext(uv);
    }
    int stack = graph_child_named(n, LJ_F_STACK, "(stack)");
    TValue *top = th->top;
    TValue *bottom = tvref(th->stack);
    if (top > bottom + th->stacksize)
        _raise("a thread whose stack is smaller than what lies on it");
    for (TValue *o = bottom + 1 + LJ_FR2; o < top; o++)
        lj_add_word(o->u64, stack);
#if !LJ_FR2
    // With 32-bit references, the running functions stand untagged in the frames.
    TValue *frame = th->base - 1;
    for (uint32_t i = 0; frame > bottom && i < th->stacksize; i++) {
        GCobj *fn = gcref(frame->gcr);
        if (fn && graph_visit(fn))
            lj_add(fn, fn->gch.gct, stack);
        int32_t link = frame->it;
        if ((link & 3) == 0)
            frame -= 1 + (*(uint32_t *)((uint64_t)(uint32_t)link - 4) >> 8 & 0xff);
        else
            frame = (TValue *)((char *)frame - (link & ~7));
    }
#endif
    GCtab *env = tabref(th->env);
    if (env && graph_visit(env))
        lj_push(env, graph_child_named(n, LJ_F_ENV, "(env)"));
}

void lj_walk_userdata(GCudata *ud, int n)
{
    graph_add_bytes(n, lj_userdata_size(ud), 1);
    GCtab *mt = tabref(ud->metatable);
    if (mt) {
        if (lj_has_finalizer(ud)) {
            lj_node_finalizers[n] += 1;
            lj_finalizer_functions[lj_metatable_finalizer[mt]]++;
        }
        if (graph_visit(mt))
            lj_push(mt, graph_child_named(n, LJ_F_METATABLE, "(metatable)"));
    }
    GCtab *env = tabref(ud->env);
    if (env && graph_visit(env))
        lj_push(env, graph_child_named(n, LJ_F_ENV, "(env)"));
##ifdeffield SBufExt cowref
    if (ud->udtype == UDTYPE_BUFFER) {
        SBufExt *sbx = (SBufExt *)uddata(ud);
        int c = graph_child_named(n, LJ_F_BUFFER, "(buffer)");
        GCobj *o = gcref(sbx->cowref);
        if ((mrefu(sbx->L) & 2) && o && graph_visit(o))
            lj_add(o, o->gch.gct, c);
##ifdeffield SBufExt dict_str
        o = gcref(sbx->dict_str);
        if (o && graph_visit(o))
            lj_add(o, o->gch.gct, c);
        o = gcref(sbx->dict_mt);
        if (o && graph_visit(o))
            lj_add(o, o->gch.gct, c);
##endif
    }
##endif
}

/// Objects that have been taken off the list together, and those of them that are still to be walked.
uint64_t lj_batch[LJ_AHEAD_OBJECTS];
int lj_batch_next;
int lj_batch_end;

/// Takes objects off the list and looks at them.
void lj_take_batch(void)
{
    long number = _elems(lj_work);
    lj_batch_next = 0;
    lj_batch_end = number < LJ_AHEAD_OBJECTS ? (int)number : LJ_AHEAD_OBJECTS;
    for (int i = 0; i < lj_batch_end; i++) {
        uint64_t item = _shift(lj_work);
        lj_batch[i] = item;
        lj_ahead_objects[i] = (GCobj *)(item >> GRAPH_NODE_BITS << 3);
    }
    lj_ahead_of_list(lj_batch_end);
}

/// Walks the contents of an object of the list.
void lj_walk_item(uint64_t item)
{
    GCobj *o = (GCobj *)(item >> GRAPH_NODE_BITS << 3);
    int n = item & (GRAPH_NODES - 1);
    switch (o->gch.gct) {
    case 11:
        lj_walk_table(&o->tab, n);
        break;
    case 8:
        lj_walk_function(&o->fn, n);
        break;
    case 7:
        lj_walk_proto(&o->pt, n);
        break;
    case 6:
        lj_walk_thread(&o->th, n);
        break;
    case 12:
        lj_walk_userdata(&o->ud, n);
        break;
    case 9:
        graph_add_bytes(n, lj_trace_size(gco2trace(o)), 1);
        lj_walk_trace_references(gco2trace(o), n);
        break;
    case 5:
        lj_add_upvalue(&o->uv, n);
        break;
    default:
        _raise("an object of the unknown type %d", o->gch.gct);
    }
}

#endif
