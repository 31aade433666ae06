/// Which Perl values hold the memory of an interpreter: a walk from its roots, breadth-first, so that each value is counted once, under its shortest chain
/// of references. All values of the arenas are on some chain in the end, those that nothing reaches in a branch of their own: their number is `PL_sv_count`.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_GC_Y
#define PERL_GC_Y

#include <perl/walk.y>
#include <perl/machine.y>

/// Totals of all interpreters.
long perl_total_bytes;
long perl_total_values;
long perl_total_objects;
/// What nothing reaches.
long perl_unreachable_values;
long perl_unreachable_bytes;
/// Objects and containers that hold it, and those of them whose every reference comes from what they hold themselves.
long perl_starts;
long perl_cycles;

/// Walks everything on the list. A fault ends the walk of the value at hand, which has been taken off the list.
void perl_walk_all(void)
{
    while (perl_batch_next < perl_batch_end || _elems(perl_work) > 0) {
        _try {
            while (1) {
                if (perl_batch_next == perl_batch_end) {
                    if (_elems(perl_work) == 0)
                        break;
                    perl_take_batch();
                }
                perl_walk_item(perl_batch[perl_batch_next++]);
            }
        } _catch (_fault f) {
            perl_count_fault(f);
        }
    }
}

/// Puts all live values of the arenas into the set of those that have not been visited.
void perl_mark_arenas(struct interpreter *p)
{
    SV *arena = (SV *)p->Isv_arenaroot;
    for (long arenas = 0; arena && arenas < PERL_MAX_ARENAS; arenas++) {
        uint32_t slots = SvREFCNT(arena);
        if (slots > PERL_MAX_SLOTS)
            _error("an arena of %u values at %p: the list of arenas is damaged", slots, arena);
        perl_arena_bytes += perl_block(arena, (uint64_t)slots * sizeof(SV));
        for (uint32_t i = 1; i < slots; i++) {
            SV *sv = &arena[i];
            if (SvTYPE(sv) == SVTYPEMASK)
                perl_free_heads++;
            else
                graph_visit_two(sv);
        }
        arena = (SV *)SvANY(arena);
    }
}

/// Stashes that are still to be walked.
SV *perl_stashes[];

/// The node of a package, below the root.
int perl_stash_node(SV *stash)
{
    uint64_t key = graph_key_object(perl_root, stash);
    int c = graph_child_find(key);
    if (c)
        return c;
    return graph_full() ? perl_root : graph_child_make(key, perl_root, "%" + perl_stash_name(stash) + "::");
}

/// A package: its globs with all that they hold, and the packages inside.
void perl_walk_stash(SV *stash)
{
    uint32_t flags = SvFLAGS(stash);
    int n = perl_stash_node(stash);
    uint64_t bytes = perl_value_bytes(stash, flags);
    long count = 1;
    if (flags & SVf_OOK)
        perl_walk_aux(stash, n);
    if (SvMAGIC(stash))
        perl_walk_magic(stash, n);
    HE **array = HvARRAY(stash);
    uint64_t max = HvMAX(stash);
    uint64_t left = HvTOTALKEYS(stash) + 1024;
    for (uint64_t b = 0; array && b <= max; b++) {
        for (HE *he = array[b]; he; he = HeNEXT(he)) {
            if (left-- == 0)
                _raise("a package with more entries than it counts");
            bytes += perl_entry_bytes(he, flags);
            SV *sv = HeVAL(he);
            if (!sv || !graph_take(sv))
                continue;
            uint32_t f = SvFLAGS(sv);
            if (!isGV_with_GP_flags(f)) {
                // A sub that needs no glob, or a declaration.
                HEK *hek = HeKEY_hek(he);
                uint64_t key = graph_key_object(n, hek);
                int c = n;
                if (f & SVf_ROK) {
                    c = graph_child_find(key);
                    if (!c)
                        c = graph_full() ? n : graph_child_make(key, n, "&" + perl_stash_name(stash) + "::" + perl_hek_text(hek));
                }
                perl_add(sv, c);
                continue;
            }
            bytes += perl_value_bytes(sv, f);
            count++;
            SV *hv = GvGP(sv) ? (SV *)GvGP(sv)->gp_hv : NULL;
            HEK *hek = HeKEY_hek(he);
            int32_t len = HEK_LEN(hek);
            if (hv && len > 2 && HEK_KEY(hek)[len - 1] == ':' && HEK_KEY(hek)[len - 2] == ':' && graph_take(hv))
                _push(perl_stashes, hv);
            perl_walk_slots(sv, n);
            if (SvMAGIC(sv))
                perl_walk_magic(sv, n);
        }
    }
    graph_add_bytes(n, bytes, count);
}

/// Walks all packages, which name what they hold, before what they hold is walked.
void perl_walk_stashes(SV *first)
{
    if (first && graph_take(first))
        _push(perl_stashes, first);
    while (_elems(perl_stashes) > 0) {
        _try {
            while (_elems(perl_stashes) > 0)
                perl_walk_stash(_shift(perl_stashes));
        } _catch (_fault f) {
            perl_count_fault(f);
        }
    }
}

#define perl_root_node(id, frame) graph_child_named(perl_root, PERL_F_ROOT + (id), frame)

/// Puts a root on the list under a frame of its own.
void perl_add_root(SV *sv, int id, _str frame)
{
    if (sv && graph_take(sv))
        perl_add(sv, perl_root_node(id, frame));
}

/// Looks for values in memory whose words may or may not be addresses of values.
void perl_scan(void *start, void *end, int id, _str frame)
{
    for (SV **p = (SV **)start; p < (SV **)end; p++) {
        SV *sv = *p;
        if (sv && perl_is_value(sv) && graph_take(sv))
            perl_add(sv, perl_root_node(id, frame));
    }
}

/// What the running program holds besides its variables: stacks, temporary values, what `local` has put aside.
void perl_add_running(struct interpreter *p)
{
    PERL_SI *si = p->Icurstackinfo;
    for (int i = 0; si->si_prev && i < 65536; i++)
        si = si->si_prev;
    for (int i = 0; si && i < 65536; i++) {
        SV *stack = (SV *)si->si_stack;
        if (stack && graph_take(stack)) {
            int n = perl_root_node(10, "(stack)");
            perl_add_leaf(stack, SvFLAGS(stack), n);
            SV **top = si == p->Icurstackinfo ? (SV **)p->Istack_sp : AvARRAY(stack) + AvFILLp(stack);
            SV **bottom = AvARRAY(stack);
            if (bottom && top >= bottom && top <= bottom + AvMAX(stack))
                perl_scan(bottom, top + 1, 10, "(stack)");
        }
        if (si->si_cxstack && si->si_cxix >= 0 && si->si_cxix <= si->si_cxmax)
            perl_scan(si->si_cxstack, (char *)si->si_cxstack + (uint64_t)(si->si_cxix + 1) * sizeof(PERL_CONTEXT), 11, "(running subs and loops)");
        si = si->si_next;
    }
    if (p->Itmps_ix >= 0 && p->Itmps_ix <= p->Itmps_max)
        perl_scan(p->Itmps_stack, p->Itmps_stack + p->Itmps_ix + 1, 12, "(temporary values)");
    if (p->Isavestack_ix > 0 && p->Isavestack_ix <= p->Isavestack_max + 4)
        perl_scan(p->Isavestack, (char *)p->Isavestack + (uint64_t)p->Isavestack_ix * 8, 13, "(saved by local)");
}

/// The plural of a type's name, for the branches of values that are not reached by name.
_str perl_kind_name(uint32_t type)
{
    switch (type) {
    case PERL_PVAV: return "arrays";
    case PERL_PVHV: return "hashes";
    case PERL_PVCV: return "subs";
    case PERL_PVFM: return "formats";
    case PERL_PVGV: return "globs";
    case PERL_PVIO: return "file handles";
    case PERL_REGEXP: return "regular expressions";
    case PERL_INVLIST: return "inversion lists";
    }
    return "scalars";
}

/// Values that have not been reached, as the arenas have them.
SV *perl_left[];

void perl_find_left(struct interpreter *p)
{
    _clear(perl_left);
    SV *arena = (SV *)p->Isv_arenaroot;
    for (long arenas = 0; arena && arenas < PERL_MAX_ARENAS; arenas++) {
        uint32_t slots = SvREFCNT(arena);
        for (uint32_t i = 1; i < slots && slots <= PERL_MAX_SLOTS; i++)
            if (graph_has(&arena[i]))
                _push(perl_left, &arena[i]);
        arena = (SV *)SvANY(arena);
    }
}

/// Walks what has not been reached: objects first, by class, then other containers, then the rest. `pass` says which: 0 objects, 1 containers, 2 the rest.
void perl_walk_left(int pass, int branch)
{
    long number = _elems(perl_left);
    for (long i = 0; i < number; i++) {
        SV *sv = perl_left[i];
        uint32_t flags = SvFLAGS(sv);
        uint32_t type = flags & SVTYPEMASK;
        if (pass == 0 && !(flags & SVs_OBJECT))
            continue;
        if (pass == 1 && type != PERL_PVAV && type != PERL_PVHV && type != PERL_PVCV)
            continue;
        if (!graph_take(sv))
            continue;
        _try {
            int n = branch;
            if (pass > 0)
                n = graph_child_named(branch, PERL_F_KIND + type, perl_kind_name(type));
            // Many share the frames from here on.
            graph_node_many[n] = 1;
            perl_start = pass < 2 ? sv : NULL;
            perl_start_refs = 0;
            perl_add(sv, n);
        } _catch (_fault f) {
            perl_count_fault(f);
        }
        perl_walk_all();
        if (pass < 2) {
            perl_starts++;
            perl_cycles += perl_start_refs > 0 && perl_start_refs >= SvREFCNT(sv);
        }
        perl_start = NULL;
    }
}

/// Puts what the interpreter has besides values under frames.
void perl_add_machine(struct interpreter *p)
{
    _try {
        perl_count_machine(p);
    } _catch (_fault f) {
        perl_count_fault(f);
    }
    int machine = perl_root_node(20, "(interpreter)");
    int id = 0;
    _foreach (what, bytes in perl_machine_bytes)
        graph_node_bytes[graph_child_named(machine, ++id, what)] += bytes;
    graph_node_bytes[graph_child_named(machine, ++id, "free heads of values")] += perl_free_heads * (long)sizeof(SV);
    _clear(perl_machine_bytes);
    _clear(perl_machine_number);
    perl_free_heads = 0;
}

/// Sums over the nodes.
long perl_nodes_count(void)
{
    long count = 0;
    for (int n = 0; n < graph_nodes; n++)
        count += graph_node_count[n];
    return count;
}

long perl_nodes_bytes(void)
{
    long bytes = 0;
    for (int n = 0; n < graph_nodes; n++)
        bytes += graph_node_bytes[n];
    return bytes;
}

/// Walks an interpreter. `frame` is the first frame of its chains, or "".
void perl_walk_interpreter(struct interpreter *p, _str frame, int id)
{
    perl_sizes_of(p);
    perl_root = frame == "" ? 0 : graph_child_named(0, PERL_F_ROOT + 30 + id, frame);
    perl_mark_arenas(p);
    _try {
        perl_walk_stashes((SV *)p->Idefstash);
        if (p->Imain_cv && graph_take(p->Imain_cv))
            perl_push((SV *)p->Imain_cv, perl_root_node(0, "(main program)"));
        perl_add_root((SV *)p->Iregex_padav, 1, "(regular expressions of the program)");
        perl_add_root((SV *)p->Imodglobal, 2, "(PL_modglobal)");
    } _catch (_fault f) {
        perl_count_fault(f);
    }
    perl_walk_all();
    // What only the running program holds comes after what has a name.
    _try {
        perl_add_root((SV *)p->Istashcache, 3, "(stash cache)");
        perl_add_root((SV *)p->Istrtab, 4, "(string table)");
        perl_add_running(p);
    } _catch (_fault f) {
        perl_count_fault(f);
    }
    perl_walk_all();
    _try {
        perl_scan(p, p + 1, 14, "(PL_ variables)");
        if (p->Ipsig_ptr)
            perl_scan(p->Ipsig_ptr, p->Ipsig_ptr + 64, 15, "(signal handlers)");
    } _catch (_fault f) {
        perl_count_fault(f);
    }
    perl_walk_all();
    long count = perl_nodes_count();
    long bytes = perl_nodes_bytes();
    int branch = graph_child_named(perl_root, PERL_F_UNREACHABLE, "(unreachable)");
    perl_find_left(p);
    for (int pass = 0; pass < 3; pass++)
        perl_walk_left(pass, branch);
    perl_unreachable_values += perl_nodes_count() - count;
    perl_unreachable_bytes += perl_nodes_bytes() - bytes;
    perl_add_machine(p);
}

/// Hands everything over: one entry for each chain that holds something itself.
void perl_frames_into(struct perl_held held[_path])
{
    perl_total_bytes = perl_nodes_bytes();
    perl_total_values = perl_nodes_count();
    for (int n = 0; n < graph_nodes; n++) {
        perl_total_objects += perl_node_objects[n];
        if (graph_node_bytes[n] == 0 && graph_node_count[n] == 0)
            continue;
        _path p = graph_node_path[n];
        held[p].bytes += graph_node_bytes[n];
        held[p].count += graph_node_count[n];
        held[p].objects += perl_node_objects[n];
    }
    if (graph_nodes_missing > 0)
        _warn("more than %d distinct chains: %d frames are missing; try a smaller --depth or --fold", GRAPH_NODES - GRAPH_NODES_RESERVED, graph_nodes_missing);
}

#endif
