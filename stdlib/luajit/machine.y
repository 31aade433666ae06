/// What a LuaJIT machine has besides its objects: its own state, the string table, buffers, C types, the trace compiler; and the finalizers of C data.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_MACHINE_Y
#define LUAJIT_MACHINE_Y

#include <luajit/sizes.y>

/// Bytes that the collector counts and that are in no object, by what they are.
long lj_machine[_str];

void lj_learn_machine(void)
{
    global_State *g = lj_g;
    lj_machine["state"] = sizeof(GG_State);
    lj_machine["string table"] = ((uint64_t)lj_strmask(g) + 1) * sizeof(GCRef);
##ifdeffield SBuf w
    lj_machine["temporary buffer"] = (uint64_t)g->tmpbuf.e - (uint64_t)g->tmpbuf.b;
##else
    lj_machine["temporary buffer"] = mrefu(g->tmpbuf.e) - mrefu(g->tmpbuf.b);
##endif
    if (lj_cts)
        lj_machine["C types"] = sizeof(CTState) + (uint64_t)lj_cts->sizetab * sizeof(CType) + (uint64_t)lj_cts->cb.sizeid * sizeof(uint16_t);
    jit_State *j = G2J(g);
    uint64_t jit = (uint64_t)j->sizesnap * sizeof(SnapShot) + (uint64_t)j->sizesnapmap * sizeof(uint32_t) +
                   (uint64_t)(j->irtoplim - j->irbotlim) * sizeof(IRIns) + (uint64_t)j->sizetrace * sizeof(GCRef);
    // A trace that is being assembled is allocated already and on no list yet.
    if (j->cur.traceno && j->curfinal)
        jit += lj_trace_size(j->curfinal);
    lj_machine["trace compiler"] = jit;
##ifdeffield GCState lightudseg
    if (mrefu(g->gc.lightudseg)) {
        uint64_t segments = 2;
        while (segments <= g->gc.lightudnum)
            segments *= 2;
        lj_machine["light userdata segments"] = segments * sizeof(uint32_t);
    }
##endif
}

/// The table from C data to its finalizers, or NULL.
GCtab *lj_finalizer_table(global_State *g)
{
##ifdeffield CTState finalizer
    return lj_cts ? lj_cts->finalizer : NULL;
##elifdefenum GCROOT_FFI_FIN
    return tabref(g->gcroot[GCROOT_FFI_FIN]);
##else
    return NULL;
##endif
}

/// Finalizers of C data and userdata by the address of the C function; Lua functions are counted under NULL.
long lj_finalizer_functions[void *];

/// Whether userdata with a metatable has a finalizer, by metatables that were asked about, and which: a C function, or NULL for a Lua function.
uint8_t lj_metatable_known[GCtab *];
void *lj_metatable_finalizer[GCtab *];
#define LJ_NO_FINALIZER 1
#define LJ_HAS_FINALIZER 2

/// Whether userdata is finalized when it is freed; the function is then `lj_metatable_finalizer` of its metatable.
int lj_has_finalizer(GCudata *ud)
{
    GCtab *mt = tabref(ud->metatable);
    if (!mt || ud->marked & LJ_GC_FINALIZED)
        return 0;
    int known = lj_metatable_known[mt];
    if (!known) {
        known = LJ_NO_FINALIZER;
        TValue *gc = lj_table_get(mt, "__gc");
        if (gc) {
            known = LJ_HAS_FINALIZER;
            if (tvisfunc(gc) && !isluafunc(funcV(gc)))
                lj_metatable_finalizer[mt] = (void *)funcV(gc)->c.f;
        }
        lj_metatable_known[mt] = known;
    }
    return known == LJ_HAS_FINALIZER;
}

/// Counts the finalizers of C data by function.
void lj_count_finalizers(GCtab *t)
{
    if (!t || t->hmask == 0)
        return;
    Node *node = noderef(t->node);
    for (uint32_t i = 0; i <= t->hmask; i++) {
        TValue *val = &node[i].val;
        if (tvisnil(val) || !tviscdata(&node[i].key))
            continue;
        void *function = NULL;
        if (tviscdata(val))
            function = *(void **)cdataptr(cdataV(val));
        lj_finalizer_functions[function]++;
    }
}

#endif
