/// Claims the blocks of LuaJIT's machines for <glibc/owners.y>: of a machine whose program has given it malloc, all that it allocated; of each machine, what its C data with
/// finalizers point to. What LuaJIT's own allocator has mapped is shown beside malloc's heap.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_OWNERS_Y
#define LUAJIT_OWNERS_Y

#include <luajit/vm.y>
#include <luajit/stats.y>
#include <luajit/alloc.y>
#include <luajit/regions.y>
#include <glibc/owners.y>

int lj_owner, lj_held_owner;
/// Machines of this process.
global_State *lj_machines[];
int lj_claiming;
int lj_showing;

/// Called for each object and for each chunk of LuaJIT's own allocator that is met here.
__attribute__((weak)) void lj_on_claim(GCobj *o, int gct) { }
__attribute__((weak)) void lj_on_own_chunk(uint64_t p, uint64_t size, int used) { }

/// Claims the blocks of an object: itself, and what it has outside of it.
void lj_on_object(GCobj *o, int gct)
{
    lj_on_claim(o, gct);
    if (!lj_claiming)
        return;
    void *block = o;
    switch (gct) {
    case 6:
        glibc_claim(tvref(o->th.stack), lj_owner);
        break;
    case 10:
        if (cdataisv(&o->cd))
            block = memcdatav(&o->cd);
        break;
    case 11:
        if (o->tab.asize > 0 && o->tab.colo <= 0)
            glibc_claim(tvref(o->tab.array), lj_owner);
        if (o->tab.hmask > 0)
            glibc_claim(noderef(o->tab.node), lj_owner);
        break;
    }
    glibc_claim(block, lj_owner);
}

/// Claims what C data with finalizers points to.
void lj_claim_held(GCtab *t)
{
    if (!t || t->hmask == 0)
        return;
    Node *node = noderef(t->node);
    for (uint32_t i = 0; i <= t->hmask; i++) {
        if (tvisnil(&node[i].val) || !tviscdata(&node[i].key))
            continue;
        _try {
            GCcdata *cd = cdataV(&node[i].key);
            if (lj_cdata_size(cd) == sizeof(GCcdata) + sizeof(void *))
                glibc_claim(*(void **)cdataptr(cd), lj_held_owner);
        } _catch (_fault f) {
            lj_stats_fault(f.message);
        }
    }
}

/// Notes a machine that is found in a way; gives whether there is one.
int lj_note_machine(_str how)
{
    lua_State *L = lj_find_main_state(how);
    if (!L)
        return 0;
    _foreach (known in lj_machines)
        if (known == G(L))
            return 1;
    _push(lj_machines, G(L));
    return 1;
}

void lj_claim_machine(global_State *g)
{
    int own = lj_alloc_valid((struct lj_alloc_state *)g->allocd);
    lj_claiming = !own;
    lj_count_all(g);
    lj_claiming = 0;
    if (!own) {
        glibc_claim(mainthread(g), lj_owner);
        glibc_claim(lj_strtab(g), lj_owner);
##ifdeffield SBuf w
        glibc_claim(g->tmpbuf.b, lj_owner);
##else
        glibc_claim(mref(g->tmpbuf.b, void), lj_owner);
##endif
        if (lj_cts) {
            glibc_claim(lj_cts, lj_owner);
            glibc_claim(lj_cts->tab, lj_owner);
        }
    }
    lj_claim_held(lj_finalizer_table(g));
}

void lj_claim_blocks(void)
{
    int found = lj_note_machine("http");
    found |= lj_note_machine("stream");
    found |= lj_note_machine("standalone");
    if (!found && !lj_note_machine("scan")) {
        glibc_owner_missing("LuaJIT", "there is no machine of a known layout");
        return;
    }
    lj_owner = glibc_owner_number("Lua");
    lj_held_owner = glibc_owner_number("held by Lua's C data");
    _foreach (g in lj_machines)
        lj_claim_machine(g);
    if (lj_stats_faults > 0)
        glibc_owner_missing("LuaJIT", sprintf("%ld lists could not be read to their end; the first fault: %s", lj_stats_faults, lj_stats_first_fault));
}

void lj_alloc_on_chunk(uint64_t p, uint64_t size, int used)
{
    lj_on_own_chunk(p, size, used);
    if (lj_showing)
        glibc_on_beside(p, size, used, lj_owner);
}

/// Gives the chunks of LuaJIT's own allocator to `glibc_on_beside`, and then its large blocks.
void lj_show_segments(void)
{
    if (_elems(lj_machines) == 0)
        return;
    _foreach (g in lj_machines) {
        lj_showing = 1;
        lj_alloc_walk((struct lj_alloc_state *)g->allocd);
        lj_showing = 0;
    }
    process_take_maps(0);
    lj_find_heaps();
    long segments = _elems(lj_regions);
    lj_find_large_blocks();
    for (long i = segments; i < _elems(lj_regions); i++)
        glibc_on_beside(lj_regions[i].start, lj_regions[i].end - lj_regions[i].start, 1, lj_owner);
}

#endif
