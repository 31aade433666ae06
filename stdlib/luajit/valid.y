/// Whether the structures in the target are what the types in use say: the check that decides between the candidates of
/// <luajit/layouts.y>, and that a state found by a scan has to pass.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_VALID_Y
#define LUAJIT_VALID_Y

#include <luajit/c.y>

/// Whether a string object is sound: its tag, its length, its final NUL.
int lj_valid_string(global_State *g, GCstr *s)
{
    return s && s->gct == 4 && s->len < g->gc.total && strdata(s)[s->len] == 0;
}

/// Whether a table object is sound.
int lj_valid_table(global_State *g, GCtab *t)
{
    if (!t || t->gct != 11 || (t->hmask & (t->hmask + 1)) != 0)
        return 0;
    if ((uint64_t)t->asize * sizeof(TValue) > g->gc.total || ((uint64_t)t->hmask + 1) * sizeof(Node) > g->gc.total)
        return 0;
    if (t->hmask == 0 && noderef(t->node) != &g->nilnode)
        return 0;
    return t->hmask == 0 || _readable(noderef(t->node), ((uint64_t)t->hmask + 1) * sizeof(Node));
}

/// Whether a prototype is sound: its parts lie within its size, its chunk name is a string.
int lj_valid_proto(global_State *g, GCproto *pt)
{
    uint64_t constants = (uint64_t)mref(pt->k, char) - (uint64_t)pt;
    if (pt->gct != 7 || pt->sizept > g->gc.total || constants > pt->sizept)
        return 0;
    if (sizeof(GCproto) + 4ul * pt->sizebc + pt->sizekgc * sizeof(GCRef) + pt->sizekn * 8ul + pt->sizeuv * 2ul > (uint64_t)pt->sizept + 16)
        return 0;
    return lj_valid_string(g, proto_chunkname(pt));
}

/// Whether a few objects of the collector's list and of the string table are sound. `count` bounds the work.
int lj_valid_objects(global_State *g, int count)
{
    GCobj *o = gcref(g->gc.root);
    for (int i = 0; i < count && o; i++) {
        int gct = o->gch.gct;
        if (gct < 5 || gct > 12)
            return 0;
        if (gct == 11 && !lj_valid_table(g, &o->tab))
            return 0;
        if (gct == 7 && !lj_valid_proto(g, &o->pt))
            return 0;
        if (gct == 6 && G(&o->th) != g)
            return 0;
        if (gct == 8 && isluafunc(&o->fn) && funcproto(&o->fn)->gct != 7)
            return 0;
        o = gcnext(o);
    }
    int strings = 0;
    for (uint32_t b = 0; b <= lj_strmask(g) && b < 4096 && strings < count; b++) {
        GCobj *s = (GCobj *)(gcrefu(lj_strtab(g)[b]) & ~1ul);
        for (int i = 0; s && i < 16; i++) {
            if (!lj_valid_string(g, &s->str))
                return 0;
            strings++;
            s = gcnext(s);
        }
    }
    return strings > 0;
}

/// Whether the trace compiler's state, which lies between the global state and the dispatch table, is where the types say.
int lj_valid_jit(global_State *g)
{
    GG_State *gg = G2GG(g);
    jit_State *j = &gg->J;
    // `j->L` is of no use here: LuaJIT leaves it pointing at a coroutine that has been freed.
    if (j->sizetrace > 0x10000 || (j->sizetrace && !_readable(j->trace, j->sizetrace * sizeof(GCRef))))
        return 0;
    if (j->sizetrace > 1 && gcref(j->trace[1]) && gcref(j->trace[1])->gch.gct != 9)
        return 0;
    // The snapshots of a trace lie right before their map. Their size tells apart what is alike otherwise.
    for (uint32_t i = 1; i < j->sizetrace && i < 256; i++) {
        GCtrace *t = (GCtrace *)gcref(j->trace[i]);
        if (t && t != &j->cur && t->nsnap && (uint64_t)t->snapmap - (uint64_t)t->snap != t->nsnap * sizeof(SnapShot))
            return 0;
    }
    if (j->irtoplim || j->irbotlim)
        if (j->irbotlim > REF_BIAS || j->irtoplim <= REF_BIAS || j->irtoplim > 0x10000)
            return 0;
    if ((j->sizesnap && !j->snapbuf) || (j->sizesnapmap && !j->snapmapbuf))
        return 0;
    // The bytecode headers of the fast functions at the very end are numbered in order: they pin the size of the whole.
    int headers = sizeof(gg->bcff) / sizeof(gg->bcff[0]);
    for (int i = 0; i < headers; i++)
        if (gg->bcff[i] != gg->bcff[0] + i)
            return 0;
    return (gg->bcff[0] & 0xff) > 80 && gg->bcff[0] < 256;
}

/// The check itself, on a state that may be anything at all: faults mean no.
int lj_valid_state(lua_State *L)
{
    _try {
        if (!L || ((uint64_t)L & 7) || L->gct != 6)
            return 0;
        global_State *g = G(L);
        if (!g || ((uint64_t)g & 7))
            return 0;
        lua_State *m = mainthread(g);
        if (m->gct != 6 || G(m) != g || (GG_State *)m != G2GG(g))
            return 0;
        if (g->gc.total < sizeof(GG_State) || g->gc.total > 1ul << 46 || g->gc.state > 7 || !(g->gc.currentwhite & 3))
            return 0;
        if (g->strempty.gct != 4 || g->strempty.len != 0)
            return 0;
        uint64_t buckets = (uint64_t)lj_strmask(g) + 1;
        if ((buckets & (buckets - 1)) || buckets > 1ul << 28 || !_readable(lj_strtab(g), buckets * sizeof(GCRef)))
            return 0;
        if (!tvisnil(&g->nilnode.val) || !tvisnil(&g->nilnode.key))
            return 0;
        if (!tvistab(&g->registrytv) || !lj_valid_table(g, tabV(&g->registrytv)) || !lj_valid_table(g, tabref(m->env)))
            return 0;
        if (uvnext(&g->uvhead) != &g->uvhead && uvnext(&g->uvhead)->gct != 5)
            return 0;
        if (gcref(g->cur_L) && gcref(g->cur_L)->gch.gct != 6)
            return 0;
        // The names of metamethods are the first roots.
        if (!lj_valid_string(g, strref(g->gcroot[0])) || !(_tostr(strdata(strref(g->gcroot[0]))) == "__index"))
            return 0;
        if (!lj_valid_string(g, strref(g->gcroot[3])) || !(_tostr(strdata(strref(g->gcroot[3]))) == "__mode"))
            return 0;
        GCobj *output = gcref(g->gcroot[GCROOT_IO_OUTPUT]);
        if (output && output->gch.gct != 12)
            return 0;
        CTState *cts = ctype_ctsG(g);
        if (cts && (cts->g != g || cts->top > cts->sizetab || cts->sizetab > 0x10000 || !lj_valid_table(g, cts->miscmap)))
            return 0;
        return lj_valid_jit(g) && lj_valid_objects(g, 64);
    } _catch (_fault f) {
        return 0;
    }
}

#endif
