/* The reference walk of the benchmark: what stdlib/luajit/gc.y does, in C, inside the process whose heap it walks.
 *
 * A Lua C module for a stand-alone LuaJIT: `luaopen_lj_walk` gives a function that walks the heap and returns a text: a first line
 * "total BYTES gc.total BYTES objects N finalizers N seconds S", then one line a chain, "frame;frame;frame BYTES OBJECTS FINALIZERS".
 * The same roots in the same order, the same folding, the same frames; its own visited set.
 *
 * cc -O2 -g -shared -fPIC -I LUAJIT/src lj_walk.c -o lj_walk.so     (LUAJIT: the built source tree of the very LuaJIT that loads it)
 */

#define LUA_CORE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lua.h"
#include "lauxlib.h"
#include "lj_obj.h"
#include "lj_gc.h"
#include "lj_buf.h"
#include "lj_ctype.h"
#include "lj_cdata.h"
#include "lj_dispatch.h"
#include "lj_frame.h"
#include "lj_ir.h"
#include "lj_jit.h"
#include "lj_str.h"
#include "lj_tab.h"

enum { NODE_BITS = 17, NODES = 1 << NODE_BITS, BIG = 1024, MANY_NAMES = 256, FOLD = 32, DEPTH = 64 };
enum { KEY_INDEX = 1, KEY_CTYPE, KEY_UPVALUE, KEY_NAMED, KEY_FOLD, KEY_LIGHTUD };
enum {
    F_METATABLE = 1, F_ENV, F_KEYS, F_EMPTY, F_PROTO, F_STACK, F_UPVALUES, F_TRACE, F_BUFFER, F_TRUE, F_FALSE, F_REGISTRY,
    F_UNREACHABLE = 20, F_KIND = 32, F_ROOT = 64
};

typedef struct {
    uint64_t bytes, count, finalizers;
    char *frame;
    int parent, depth, many;
} node_t;

typedef struct {
    uint64_t key;
    int node;
} child_t;

typedef struct {
    global_State *g;
    CTState *cts;
    GCtab *finalizers, *loaded, *registry;
    node_t *nodes;
    int nodes_used;
    child_t *children;
    uint64_t children_size, children_used;
    uint64_t *visited; /* open addressing, 0 is empty */
    uint64_t visited_size, visited_used;
    uint64_t *work;
    uint64_t work_first, work_end, work_size;
    long keys_string, keys_number, keys_other;
} walk_t;

static void *checked(void *p)
{
    if (!p) {
        fputs("lj_walk: out of memory\n", stderr);
        abort();
    }
    return p;
}

static inline uint64_t mixed(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15ull;
    return x ^ x >> 32;
}

/* 1 the first time. */
static int visit(walk_t *w, const void *o)
{
    uint64_t a = (uint64_t)o;
    if (w->visited_used * 2 >= w->visited_size) {
        uint64_t size = w->visited_size ? w->visited_size * 2 : 1 << 16;
        uint64_t *grown = checked(calloc(size, sizeof *grown));
        for (uint64_t i = 0; i < w->visited_size; i++)
            if (w->visited[i]) {
                uint64_t slot = mixed(w->visited[i]) & (size - 1);
                while (grown[slot])
                    slot = (slot + 1) & (size - 1);
                grown[slot] = w->visited[i];
            }
        free(w->visited);
        w->visited = grown;
        w->visited_size = size;
    }
    uint64_t slot = mixed(a) & (w->visited_size - 1);
    while (w->visited[slot]) {
        if (w->visited[slot] == a)
            return 0;
        slot = (slot + 1) & (w->visited_size - 1);
    }
    w->visited[slot] = a;
    w->visited_used++;
    return 1;
}

static uint64_t key_object(int n, const void *p) { return (uint64_t)p >> 3 << NODE_BITS | n; }
static uint64_t key_number(int n, int kind, uint64_t i)
{
    return 1ull << 63 | (uint64_t)kind << 57 | (uint64_t)(uint32_t)i << NODE_BITS | n;
}

static int child_find(walk_t *w, uint64_t key)
{
    if (!w->children_size)
        return 0;
    uint64_t slot = mixed(key) & (w->children_size - 1);
    while (w->children[slot].node) {
        if (w->children[slot].key == key)
            return w->children[slot].node;
        slot = (slot + 1) & (w->children_size - 1);
    }
    return 0;
}

static void child_put(walk_t *w, uint64_t key, int node)
{
    if (w->children_used * 2 >= w->children_size) {
        uint64_t size = w->children_size ? w->children_size * 2 : 1 << 12, old = w->children_size;
        child_t *from = w->children;
        w->children = checked(calloc(size, sizeof(child_t)));
        w->children_size = size;
        w->children_used = 0;
        for (uint64_t i = 0; i < old; i++)
            if (from[i].node)
                child_put(w, from[i].key, from[i].node);
        free(from);
    }
    uint64_t slot = mixed(key) & (w->children_size - 1);
    while (w->children[slot].node)
        slot = (slot + 1) & (w->children_size - 1);
    w->children[slot].key = key;
    w->children[slot].node = node;
    w->children_used++;
}

static int at_depth(walk_t *w, int n) { return w->nodes[n].depth >= DEPTH; }
static int full(walk_t *w) { return w->nodes_used >= NODES; }

static int child_make(walk_t *w, uint64_t key, int parent, const char *frame, size_t len)
{
    int n = w->nodes_used++;
    node_t *node = &w->nodes[n];
    node->frame = checked(malloc(len + 1));
    memcpy(node->frame, frame, len);
    node->frame[len] = 0;
    node->parent = parent;
    node->depth = w->nodes[parent].depth + 1;
    node->many = w->nodes[parent].many;
    child_put(w, key, n);
    return n;
}

static int child_named(walk_t *w, int parent, int id, const char *frame)
{
    if (at_depth(w, parent))
        return parent;
    uint64_t key = key_number(parent, KEY_NAMED, id);
    int n = child_find(w, key);
    return n ? n : full(w) ? parent : child_make(w, key, parent, frame, strlen(frame));
}

static int child_index(walk_t *w, int parent, int i)
{
    if (at_depth(w, parent))
        return parent;
    uint64_t key = key_number(parent, KEY_INDEX, i);
    int n = child_find(w, key);
    if (n || full(w))
        return n ? n : parent;
    char frame[32];
    return child_make(w, key, parent, frame, snprintf(frame, sizeof frame, "[%d]", i));
}

static const char *thousands(char *out, long n)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%ld", n), o = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = 0;
    return out;
}

static int child_folded(walk_t *w, int parent, int id, const char *what, long number)
{
    if (at_depth(w, parent))
        return parent;
    if (w->nodes[parent].many || number > 0xfffffff)
        number = 0;
    uint64_t key = key_number(parent, KEY_FOLD, (uint64_t)number << 4 | id);
    int n = child_find(w, key);
    if (n)
        return n;
    if (full(w))
        return parent;
    char frame[96], digits[48];
    if (number)
        snprintf(frame, sizeof frame, "[%s%s×%s]", what, *what ? " " : "", thousands(digits, number));
    else
        snprintf(frame, sizeof frame, "[%s]", *what ? what : "…");
    n = child_make(w, key, parent, frame, strlen(frame));
    w->nodes[n].many = 1;
    return n;
}

static void add_bytes(walk_t *w, int n, uint64_t size, long count)
{
    w->nodes[n].bytes += size;
    w->nodes[n].count += count;
}

static void push(walk_t *w, const void *o, int n)
{
    if (w->work_end == w->work_size) {
        w->work_size = w->work_size ? w->work_size * 2 : 1 << 14;
        w->work = checked(realloc(w->work, w->work_size * sizeof *w->work));
    }
    w->work[w->work_end++] = key_object(n, o);
}

/* -- Sizes and names ---------------------------------------------------- */

static uint64_t cdata_size(walk_t *w, GCcdata *cd)
{
    if (cdataisv(cd))
        return (uint64_t)cdatav(cd)->len + cdatav(cd)->extra;
    CType *ct = ctype_raw(w->cts, cd->ctypeid);
    return sizeof(GCcdata) + (ctype_hassize(ct->info) ? ct->size : CTSIZE_PTR);
}

static uint64_t table_size(GCtab *t)
{
    uint64_t size = t->colo ? sizetabcolo(t->colo & 0x7f) : sizeof(GCtab);
    if (t->asize > 0 && t->colo <= 0)
        size += t->asize * sizeof(TValue);
    if (t->hmask > 0)
        size += ((uint64_t)t->hmask + 1) * sizeof(Node);
    return size;
}

static uint64_t trace_size(GCtrace *T)
{
    return ((sizeof(GCtrace) + 7) & ~7) + (uint64_t)(T->nins - T->nk) * sizeof(IRIns) + T->nsnap * sizeof(SnapShot) +
           T->nsnapmap * sizeof(SnapEntry);
}

static uint64_t object_size(walk_t *w, GCobj *o)
{
    switch (o->gch.gct) {
    case ~LJ_TSTR: return o == (GCobj *)&w->g->strempty ? 0 : lj_str_size(o->str.len);
    case ~LJ_TUPVAL: return sizeof(GCupval);
    case ~LJ_TTHREAD: return (&o->th == mainthread(w->g) ? 0 : sizeof(lua_State)) + o->th.stacksize * sizeof(TValue);
    case ~LJ_TPROTO: return o->pt.sizept;
    case ~LJ_TFUNC: return isluafunc(&o->fn) ? sizeLfunc(o->fn.l.nupvalues) : sizeCfunc(o->fn.c.nupvalues);
    case ~LJ_TTRACE: return trace_size((GCtrace *)o);
    case ~LJ_TCDATA: return cdata_size(w, &o->cd);
    case ~LJ_TTAB: return table_size(&o->tab);
    case ~LJ_TUDATA: {
        uint64_t size = sizeudata(&o->ud);
#if LJ_HASBUFFER
        if (o->ud.udtype == UDTYPE_BUFFER) {
            SBufExt *sbx = (SBufExt *)uddata(&o->ud);
            if (!sbufiscoworborrow(sbx))
                size += sbufsz(sbx);
        }
#endif
        return size;
    }
    }
    fputs("lj_walk: unknown type\n", stderr);
    abort();
}

static const char *kind_name(int gct)
{
    static const char *const names[] = {"strings", "upvalues", "threads", "prototypes", "functions", "traces", "cdata", "tables", "userdata"};
    return names[gct - 4];
}

static void ctype_name(walk_t *w, CTypeID id, int depth, char *out, size_t size)
{
    if (id >= w->cts->top || depth > 8 || size < 8) {
        snprintf(out, size, "?");
        return;
    }
    CType *ct = ctype_get(w->cts, id);
    CTInfo info = ct->info;
    const char *name = gcref(ct->name) ? strdata(strref(ct->name)) : "";
    char inner[256];
    switch (ctype_type(info)) {
    case CT_NUM:
        if (info & CTF_BOOL)
            snprintf(out, size, "bool");
        else if (info & CTF_FP)
            snprintf(out, size, ct->size == 4 ? "float" : "double");
        else
            snprintf(out, size, "%sint%u_t", info & CTF_UNSIGNED ? "u" : "", ct->size * 8);
        return;
    case CT_STRUCT: snprintf(out, size, "%s%s%s", info & CTF_UNION ? "union" : "struct", *name ? " " : "", name); return;
    case CT_PTR:
        ctype_name(w, ctype_cid(info), depth + 1, inner, sizeof inner);
        snprintf(out, size, "%s%s", inner, info & CTF_REF ? " &" : " *");
        return;
    case CT_ARRAY:
        if (info & CTF_COMPLEX) {
            snprintf(out, size, "complex");
            return;
        }
        ctype_name(w, ctype_cid(info), depth + 1, inner, sizeof inner);
        if (ct->size == CTSIZE_INVALID)
            snprintf(out, size, "%s [?]", inner);
        else
            snprintf(out, size, "%s [%u bytes]", inner, ct->size);
        return;
    case CT_VOID: snprintf(out, size, "void"); return;
    case CT_ENUM: snprintf(out, size, "enum%s%s", *name ? " " : "", name); return;
    case CT_FUNC: snprintf(out, size, "function%s%s", *name ? " " : "", name); return;
    case CT_TYPEDEF:
    case CT_ATTRIB:
    case CT_EXTERN: ctype_name(w, ctype_cid(info), depth + 1, out, size); return;
    }
    snprintf(out, size, "?");
}

static int proto_frame(GCproto *pt, char *out, size_t size)
{
    GCstr *s = proto_chunkname(pt);
    const char *p = strdata(s);
    int len = s->len, start = 1;
    if (len == 0)
        return snprintf(out, size, "function ?:%d", pt->firstline);
    if (p[0] != '@' && p[0] != '=')
        return snprintf(out, size, "function [string]:%d", pt->firstline);
    for (int i = 1; i < len && i < 4096; i++)
        if (p[i] == '/')
            start = i + 1;
    len -= start;
    return snprintf(out, size, "function %.*s:%d", len < 60 ? len : 60, p + start, pt->firstline);
}

static int is_name(GCstr *s)
{
    if (s->len == 0 || s->len > 64)
        return 0;
    const char *p = strdata(s);
    for (MSize i = 0; i < s->len; i++) {
        char c = p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return 1;
}

/* Bit 0 weak keys, 1 weak values, 3 a __gc. */
static int metatable_mode(walk_t *w, GCtab *mt)
{
    int mode = 0;
    if (mt->hmask == 0)
        return 0;
    Node *node = noderef(mt->node);
    for (MSize i = 0; i <= mt->hmask; i++) {
        if (tvisnil(&node[i].val) || !tvisstr(&node[i].key))
            continue;
        if (strV(&node[i].key) == mmname_str(w->g, MM_gc))
            mode |= 8;
        if (strV(&node[i].key) == mmname_str(w->g, MM_mode) && tvisstr(&node[i].val)) {
            GCstr *s = strV(&node[i].val);
            if (memchr(strdata(s), 'k', s->len))
                mode |= 1;
            if (memchr(strdata(s), 'v', s->len))
                mode |= 2;
        }
    }
    return mode;
}

/* -- The walk ----------------------------------------------------------- */

static int proto_node(walk_t *w, GCproto *pt, int n)
{
    if (at_depth(w, n))
        return n;
    uint64_t key = key_object(n, pt);
    int c = child_find(w, key);
    if (c || full(w))
        return c ? c : n;
    char frame[128];
    int len = proto_frame(pt, frame, sizeof frame);
    return child_make(w, key, n, frame, len < (int)sizeof frame ? len : (int)sizeof frame - 1);
}

static void add_cdata(walk_t *w, GCcdata *cd, uint64_t size, int n)
{
    int c = n;
    if (!at_depth(w, n)) {
        uint64_t key = key_number(n, KEY_CTYPE, cd->ctypeid);
        c = child_find(w, key);
        if (!c && full(w)) {
            c = n;
        } else if (!c) {
            char name[256], frame[300];
            ctype_name(w, cd->ctypeid, 0, name, sizeof name);
            c = child_make(w, key, n, frame, snprintf(frame, sizeof frame, "cdata %s", name));
        }
    }
    add_bytes(w, c, size, 1);
    if (cd->marked & LJ_GC_CDATA_FIN)
        w->nodes[c].finalizers++;
}

static void add(walk_t *w, GCobj *o, int n)
{
    switch (o->gch.gct) {
    case ~LJ_TSTR: add_bytes(w, n, object_size(w, o), 1); break;
    case ~LJ_TCDATA: add_cdata(w, &o->cd, cdata_size(w, &o->cd), n); break;
    case ~LJ_TFUNC: push(w, o, isluafunc(&o->fn) ? proto_node(w, funcproto(&o->fn), n) : n); break;
    default: push(w, o, n);
    }
}

static void add_tv(walk_t *w, TValue *tv, int n)
{
    if (tvisgcv(tv) && visit(w, gcV(tv)))
        add(w, gcV(tv), n);
}

static void count_keys(walk_t *w, GCtab *t)
{
    w->keys_string = w->keys_number = w->keys_other = 0;
    if ((uint64_t)t->asize + t->hmask <= FOLD)
        return;
    for (MSize i = 0; i < t->asize; i++)
        w->keys_number += tvisgcv(arrayslot(t, i)) && !tvisstr(arrayslot(t, i));
    if (t->hmask == 0)
        return;
    Node *node = noderef(t->node);
    for (MSize i = 0; i <= t->hmask; i++) {
        if (!tvisgcv(&node[i].val) || tvisstr(&node[i].val))
            continue;
        if (tvisstr(&node[i].key))
            w->keys_string++;
        else if (tvisnum(&node[i].key))
            w->keys_number++;
        else
            w->keys_other++;
    }
}

static int key_node(walk_t *w, GCtab *t, TValue *key, int n)
{
    if (at_depth(w, n))
        return n;
    if (tvisstr(key)) {
        if (w->keys_string > MANY_NAMES && t != w->loaded && t != w->registry)
            return child_folded(w, n, 1, "string", w->keys_string);
        GCstr *s = strV(key);
        uint64_t ck = key_object(n, s);
        int c = child_find(w, ck);
        if (c || full(w))
            return c ? c : n;
        if (t == w->registry)
            return child_make(w, ck, n, strdata(s), strlen(strdata(s)));
        if (t == w->loaded || is_name(s)) {
            char frame[1024];
            int len = snprintf(frame, sizeof frame, ".%s", strdata(s));
            return child_make(w, ck, n, frame, len < (int)sizeof frame ? len : (int)sizeof frame - 1);
        }
        c = child_folded(w, n, 1, "string", w->keys_string > FOLD ? w->keys_string : 0);
        if (c != n && !w->nodes[n].many)
            child_put(w, ck, c);
        return c;
    }
    if (tvisnum(key)) {
        if (w->keys_number > FOLD)
            return child_folded(w, n, 2, "", w->keys_number);
        double d = numV(key);
        if (d >= -2147483648.0 && d <= 2147483647.0 && (double)(int)d == d)
            return child_index(w, n, (int)d);
        return child_folded(w, n, 3, "number", 0);
    }
    long many = w->keys_other > FOLD ? w->keys_other : 0;
    if (tvistrue(key))
        return child_named(w, n, F_TRUE, "[true]");
    if (tvisfalse(key))
        return child_named(w, n, F_FALSE, "[false]");
    if (tvistab(key))
        return child_folded(w, n, 4, "table", many);
    if (tvisfunc(key))
        return child_folded(w, n, 5, "function", many);
    if (tviscdata(key))
        return child_folded(w, n, 6, "cdata", many);
    if (tvisudata(key))
        return child_folded(w, n, 7, "userdata", many);
    if (tvisthread(key))
        return child_folded(w, n, 8, "thread", many);
    return child_folded(w, n, 9, "light userdata", many);
}

/* A value of a table. `node` is the node of its key if that is known already, else 0. */
static inline void table_value(walk_t *w, GCtab *t, TValue *val, int weak, int n, int node, TValue *key, int index, uint64_t *bytes, long *count)
{
    if (!tvisgcv(val) || ((weak & 2) && !tvisstr(val)))
        return;
    GCobj *o = gcV(val);
    if (!visit(w, o))
        return;
    if (tvisstr(val)) {
        uint64_t size = lj_str_size(o->str.len);
        if (size < BIG) {
            *bytes += size;
            ++*count;
            return;
        }
    } else if (tviscdata(val)) {
        uint64_t size = cdata_size(w, &o->cd);
        if (size < BIG) {
            add_cdata(w, &o->cd, size, n);
            return;
        }
    }
    add(w, o, node ? node : key ? key_node(w, t, key, n) : child_index(w, n, index));
}

static void walk_table(walk_t *w, GCtab *t, int n)
{
    uint64_t bytes = table_size(t), empty = 0;
    long count = 1;
    int weak = 0;
    GCtab *mt = tabref(t->metatable);
    if (mt) {
        weak = metatable_mode(w, mt);
        if (visit(w, mt))
            push(w, mt, child_named(w, n, F_METATABLE, "(metatable)"));
    }
    if (t == w->finalizers)
        weak = 1;
    count_keys(w, t);
    if (t->asize > 0) {
        int folded = w->keys_number > FOLD ? child_folded(w, n, 2, "", w->keys_number) : 0;
        for (MSize i = 0; i < t->asize; i++) {
            TValue *val = arrayslot(t, i);
            if (tvisnil(val))
                empty += sizeof(TValue);
            else
                table_value(w, t, val, weak, n, folded, NULL, i, &bytes, &count);
        }
    }
    if (t->hmask > 0) {
        Node *node = noderef(t->node);
        for (MSize i = 0; i <= t->hmask; i++) {
            if (tvisnil(&node[i].val)) {
                empty += sizeof(Node);
                continue;
            }
            TValue *key = &node[i].key;
            if (tvisstr(key)) {
                if (visit(w, strV(key))) {
                    bytes += lj_str_size(strV(key)->len);
                    count++;
                }
            } else if (tvisgcv(key) && !(weak & 1) && visit(w, gcV(key))) {
                add(w, gcV(key), child_named(w, n, F_KEYS, "(keys)"));
            }
            table_value(w, t, &node[i].val, weak, n, 0, key, 0, &bytes, &count);
        }
    }
    if (empty >= BIG) {
        w->nodes[child_named(w, n, F_EMPTY, "(empty slots)")].bytes += empty;
        bytes -= empty;
    }
    add_bytes(w, n, bytes, count);
}

static void walk_function(walk_t *w, GCfunc *fn, int n)
{
    add_bytes(w, n, object_size(w, (GCobj *)fn), 1);
    GCtab *env = tabref(fn->c.env);
    if (env && visit(w, env))
        push(w, env, child_named(w, n, F_ENV, "(env)"));
    if (!isluafunc(fn)) {
        for (int i = 0; i < fn->c.nupvalues; i++)
            if (tvisgcv(&fn->c.upvalue[i]))
                add_tv(w, &fn->c.upvalue[i], child_named(w, n, F_UPVALUES, "(upvalues)"));
        return;
    }
    GCproto *pt = funcproto(fn);
    if (visit(w, pt))
        push(w, pt, child_named(w, n, F_PROTO, "(prototype)"));
    for (int i = 0; i < fn->l.nupvalues; i++) {
        GCupval *uv = &gcref(fn->l.uvptr[i])->uv;
        if (!visit(w, uv))
            continue;
        int c = n;
        if (!at_depth(w, n)) {
            uint64_t key = key_number(n, KEY_UPVALUE, i);
            c = child_find(w, key);
            if (!c && full(w)) {
                c = n;
            } else if (!c) {
                const uint8_t *p = proto_uvinfo(pt);
                char frame[300];
                int len;
                if (!p) {
                    len = snprintf(frame, sizeof frame, "upvalue %d", i + 1);
                } else {
                    for (int k = 0; k < i; k++)
                        p += strlen((const char *)p) + 1;
                    len = snprintf(frame, sizeof frame, "upvalue %s", (const char *)p);
                }
                c = child_make(w, key, n, frame, len < (int)sizeof frame ? len : (int)sizeof frame - 1);
            }
        }
        add_bytes(w, c, sizeof(GCupval), 1);
        add_tv(w, uvval(uv), c);
    }
}

static void add_trace(walk_t *w, TraceNo number, int n)
{
    jit_State *J = G2J(w->g);
    if (number == 0 || number >= J->sizetrace)
        return;
    GCobj *T = gcref(J->trace[number]);
    if (T && visit(w, T))
        push(w, T, n);
}

static void walk_proto(walk_t *w, GCproto *pt, int n)
{
    uint64_t bytes = pt->sizept;
    long count = 1;
    if (visit(w, proto_chunkname(pt))) {
        bytes += lj_str_size(proto_chunkname(pt)->len);
        count++;
    }
    for (ptrdiff_t i = -(ptrdiff_t)pt->sizekgc; i < 0; i++) {
        GCobj *o = proto_kgc(pt, i);
        if (!visit(w, o))
            continue;
        if (o->gch.gct == ~LJ_TSTR) {
            bytes += object_size(w, o);
            count++;
        } else if (o->gch.gct == ~LJ_TPROTO) {
            push(w, o, proto_node(w, &o->pt, n));
        } else {
            add(w, o, n);
        }
    }
    add_bytes(w, n, bytes, count);
    if (pt->trace)
        add_trace(w, pt->trace, child_named(w, n, F_TRACE, "(traces)"));
}

static void walk_trace(walk_t *w, GCtrace *T, int n)
{
    if (T->traceno == 0)
        return;
    for (IRRef ref = T->nk; ref < REF_TRUE; ref++) {
        IRIns *ir = &T->ir[ref];
        if (ir->o == IR_KGC && visit(w, ir_kgc(ir)))
            add(w, ir_kgc(ir), n);
        if (irt_is64(ir->t) && ir->o != IR_KNULL)
            ref++;
    }
    add_trace(w, T->link, n);
    add_trace(w, T->nextroot, n);
    add_trace(w, T->nextside, n);
    if (gcref(T->startpt) && visit(w, gcref(T->startpt)))
        push(w, gcref(T->startpt), n);
}

static void walk_thread(walk_t *w, lua_State *th, int n)
{
    add_bytes(w, n, object_size(w, (GCobj *)th), 1);
    for (GCobj *uv = gcref(th->openupval); uv; uv = gcnext(uv))
        if (visit(w, uv))
            add_bytes(w, n, sizeof(GCupval), 1);
    int stack = child_named(w, n, F_STACK, "(stack)");
    for (TValue *o = tvref(th->stack) + 1 + LJ_FR2; o < th->top; o++)
        add_tv(w, o, stack);
#if !LJ_FR2
    for (TValue *frame = th->base - 1; frame > tvref(th->stack); frame = frame_prev(frame))
        if (visit(w, frame_gc(frame)))
            add(w, frame_gc(frame), stack);
#endif
    GCtab *env = tabref(th->env);
    if (env && visit(w, env))
        push(w, env, child_named(w, n, F_ENV, "(env)"));
}

static void walk_userdata(walk_t *w, GCudata *ud, int n)
{
    add_bytes(w, n, object_size(w, (GCobj *)ud), 1);
    GCtab *mt = tabref(ud->metatable), *env = tabref(ud->env);
    if (mt) {
        if ((metatable_mode(w, mt) & 8) && !(ud->marked & LJ_GC_FINALIZED))
            w->nodes[n].finalizers++;
        if (visit(w, mt))
            push(w, mt, child_named(w, n, F_METATABLE, "(metatable)"));
    }
    if (env && visit(w, env))
        push(w, env, child_named(w, n, F_ENV, "(env)"));
#if LJ_HASBUFFER
    if (ud->udtype == UDTYPE_BUFFER) {
        SBufExt *sbx = (SBufExt *)uddata(ud);
        int c = child_named(w, n, F_BUFFER, "(buffer)");
        if (sbufiscow(sbx) && gcref(sbx->cowref) && visit(w, gcref(sbx->cowref)))
            add(w, gcref(sbx->cowref), c);
        if (gcref(sbx->dict_str) && visit(w, gcref(sbx->dict_str)))
            add(w, gcref(sbx->dict_str), c);
        if (gcref(sbx->dict_mt) && visit(w, gcref(sbx->dict_mt)))
            add(w, gcref(sbx->dict_mt), c);
    }
#endif
}

static void root(walk_t *w, void *o, int id, const char *frame)
{
    if (o && visit(w, o))
        add(w, (GCobj *)o, child_named(w, 0, F_ROOT + id, frame));
}

static void walk_all(walk_t *w)
{
    while (w->work_first < w->work_end) {
        uint64_t item = w->work[w->work_first++];
        GCobj *o = (GCobj *)(item >> NODE_BITS << 3);
        int n = item & (NODES - 1);
        switch (o->gch.gct) {
        case ~LJ_TTAB: walk_table(w, &o->tab, n); break;
        case ~LJ_TFUNC: walk_function(w, &o->fn, n); break;
        case ~LJ_TPROTO: walk_proto(w, &o->pt, n); break;
        case ~LJ_TTHREAD: walk_thread(w, &o->th, n); break;
        case ~LJ_TUDATA: walk_userdata(w, &o->ud, n); break;
        case ~LJ_TTRACE:
            add_bytes(w, n, trace_size((GCtrace *)o), 1);
            walk_trace(w, (GCtrace *)o, n);
            break;
        case ~LJ_TUPVAL:
            add_bytes(w, n, sizeof(GCupval), 1);
            add_tv(w, uvval(&o->uv), n);
            break;
        default: fputs("lj_walk: unknown type\n", stderr); abort();
        }
    }
}

static void walk_unreachable(walk_t *w)
{
    int branch = child_named(w, 0, F_UNREACHABLE, "(unreachable)");
    for (GCobj *o = gcref(w->g->gc.root); o; o = gcnext(o)) {
        if (!visit(w, o))
            continue;
        int gct = o->gch.gct, n = child_named(w, branch, F_KIND + gct, kind_name(gct));
        add_bytes(w, n, object_size(w, o), 1);
        if (gct == ~LJ_TCDATA && (o->gch.marked & LJ_GC_CDATA_FIN))
            w->nodes[n].finalizers++;
        if (gct == ~LJ_TTHREAD)
            for (GCobj *uv = gcref(o->th.openupval); uv; uv = gcnext(uv))
                if (visit(w, uv))
                    add_bytes(w, n, sizeof(GCupval), 1);
    }
    int n = child_named(w, branch, F_KIND + 4, "strings");
    for (MSize b = 0; b <= w->g->str.mask; b++)
        for (GCobj *s = (GCobj *)(gcrefu(w->g->str.tab[b]) & ~(uintptr_t)1); s; s = gcnext(s))
            if (visit(w, s))
                add_bytes(w, n, lj_str_size(s->str.len), 1);
}

static void add_machine(walk_t *w)
{
    global_State *g = w->g;
    jit_State *J = G2J(g);
    int vm = child_named(w, 0, F_ROOT + 20, "(machine)");
    w->nodes[child_named(w, vm, 1, "state")].bytes += sizeof(GG_State);
    w->nodes[child_named(w, vm, 2, "string table")].bytes += ((uint64_t)g->str.mask + 1) * sizeof(GCRef);
    w->nodes[child_named(w, vm, 3, "temporary buffer")].bytes += sbufsz(&g->tmpbuf);
    if (w->cts)
        w->nodes[child_named(w, vm, 4, "C types")].bytes +=
            sizeof(CTState) + (uint64_t)w->cts->sizetab * sizeof(CType) + w->cts->cb.sizeid * sizeof(CTypeID1);
    int jit = child_named(w, vm, 5, "trace compiler");
    w->nodes[jit].bytes += (uint64_t)J->sizesnap * sizeof(SnapShot) + (uint64_t)J->sizesnapmap * sizeof(SnapEntry) +
                           (uint64_t)(J->irtoplim - J->irbotlim) * sizeof(IRIns) + (uint64_t)J->sizetrace * sizeof(GCRef);
    if (mref(g->gc.lightudseg, uint32_t)) {
        uint64_t segments = 2;
        while (segments <= g->gc.lightudnum)
            segments *= 2;
        w->nodes[child_named(w, vm, 6, "light userdata segments")].bytes += segments * sizeof(uint32_t);
    }
}

static void walk_roots(walk_t *w)
{
    global_State *g = w->g;
    visit(w, &g->strempty);
    if (visit(w, w->registry))
        push(w, w->registry, 0);
    root(w, mainthread(g), 0, "(main thread)");
    root(w, tabref(mainthread(g)->env), 1, "_G");
    root(w, w->finalizers, 3, "(finalizers of cdata)");
    if (w->cts)
        root(w, w->cts->miscmap, 4, "(C types)");
    for (int i = 0; i < GCROOT_MAX; i++)
        root(w, gcref(g->gcroot[i]), i < GCROOT_BASEMT ? 5 : 6, i < GCROOT_BASEMT ? "(names of metamethods)" : "(metatables of types)");
    GCobj *first = gcref(g->gc.mmudata);
    if (first) {
        GCobj *o = first;
        do {
            o = gcnext(o);
            root(w, o, 7, "(awaiting finalization)");
        } while (o != first);
    }
    root(w, gcref(g->cur_L), 8, "(running thread)");
    walk_trace(w, &G2J(g)->cur, child_named(w, 0, F_ROOT + 9, "(trace being recorded)"));
}

typedef struct {
    char *text;
    size_t len, size;
} text_t;

static void put(text_t *out, const char *s, size_t len)
{
    while (out->len + len + 1 > out->size) {
        out->size = out->size ? out->size * 2 : 1 << 16;
        out->text = checked(realloc(out->text, out->size));
    }
    memcpy(out->text + out->len, s, len);
    out->len += len;
    out->text[out->len] = 0;
}

static int walk(lua_State *L)
{
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    walk_t w = {0};
    w.g = G(L);
    w.cts = ctype_ctsG(w.g);
    w.finalizers = w.cts ? w.cts->finalizer : NULL;
    w.registry = tabV(&w.g->registrytv);
    w.nodes = checked(calloc(NODES, sizeof(node_t)));
    w.nodes_used = 1;
    uint64_t gc_total = w.g->gc.total;
    if (w.registry->hmask) {
        Node *node = noderef(w.registry->node);
        for (MSize i = 0; i <= w.registry->hmask; i++)
            if (tvisstr(&node[i].key) && tvistab(&node[i].val) && !strcmp(strVdata(&node[i].key), "_LOADED"))
                w.loaded = tabV(&node[i].val);
    }
    walk_roots(&w);
    walk_all(&w);
    int registry_node = child_named(&w, 0, F_REGISTRY, "(registry)");
    add_bytes(&w, registry_node, w.nodes[0].bytes, w.nodes[0].count);
    w.nodes[0].bytes = w.nodes[0].count = 0;
    walk_unreachable(&w);
    add_machine(&w);

    /* The output is part of the work: every chain as text. */
    text_t out = {0};
    uint64_t bytes = 0, count = 0, finalizers = 0;
    for (int n = 1; n < w.nodes_used; n++) {
        node_t *node = &w.nodes[n];
        bytes += node->bytes;
        count += node->count;
        finalizers += node->finalizers;
        if (!node->bytes && !node->count)
            continue;
        int chain[DEPTH + 1], depth = 0;
        for (int m = n; m; m = w.nodes[m].parent)
            chain[depth++] = m;
        while (depth-- > 0) {
            put(&out, w.nodes[chain[depth]].frame, strlen(w.nodes[chain[depth]].frame));
            if (depth)
                put(&out, ";", 1);
        }
        char line[96];
        put(&out, line, snprintf(line, sizeof line, " %lu %lu %lu\n", node->bytes, node->count, node->finalizers));
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    char head[256];
    snprintf(head, sizeof head, "total %lu gc.total %lu objects %lu finalizers %lu seconds %.6f\n", bytes, gc_total, count, finalizers,
             (t1.tv_sec - t0.tv_sec) + (t1.tv_nsec - t0.tv_nsec) * 1e-9);
    lua_pushstring(L, head);
    lua_pushlstring(L, out.text, out.len);
    lua_concat(L, 2);
    for (int n = 1; n < w.nodes_used; n++)
        free(w.nodes[n].frame);
    free(w.nodes);
    free(w.children);
    free(w.visited);
    free(w.work);
    free(out.text);
    return 1;
}

int luaopen_lj_walk(lua_State *L)
{
    lua_pushcfunction(L, walk);
    return 1;
}
