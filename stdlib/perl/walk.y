/// The walk of one Perl value at a time: what it refers to, each value that is seen for the first time added to the node of its chain of references
/// (<graph/chains.y>). <perl/gc.y> starts it from the roots.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_WALK_Y
#define PERL_WALK_Y

#include <graph/chains.y>
#include <perl/sizes.y>
#include <perl/ahead.y>

/// What one chain of references holds. The fields are the columns that `--weight` chooses from.
struct perl_held {
    long bytes;
    long count;
    long objects;
};
long perl_node_objects[GRAPH_NODES];

/// Hashes and arrays with more alike keys than this show them as one frame.
long perl_fold = 32;
/// Names are fewer than this: identifiers as keys fold too where one hash has more.
#define PERL_MANY_NAMES 256
/// Whether keys that are data, not identifiers, are shown.
_Bool perl_show_keys;
/// Strings of at least so many bytes get a frame of their own.
#define PERL_BIG 1024

// Keys besides those of <graph/chains.y>, which leave two bits free: of a pad's name, and of a slot of the glob with a name.
#define perl_key_pad(n, pn) (graph_key_object(n, pn) | 1ul << 62)
#define perl_key_slot(n, hek, slot) (graph_key_object(n, (char *)(hek) + 8 * (slot)) | 3ul << 61)

// Frames with fixed names, by number.
#define PERL_F_CODE 1
#define PERL_F_OUTER 2
#define PERL_F_CONSTANTS 3
#define PERL_F_MAGIC 4
#define PERL_F_TIED 5
#define PERL_F_METHODS 6
#define PERL_F_STRING 7
#define PERL_F_BACKREFS 12
#define PERL_F_UNREACHABLE 20
#define PERL_F_KIND 32
#define PERL_F_ROOT 64

/// Values whose contents are still to be walked, with their node: the pointer's upper bits above the node's.
uint64_t perl_work[];
#define perl_push(sv, n) _push(perl_work, graph_key_object((n), (sv)))

/// The value that the walk of what nothing reaches started from, and how many references to it that walk has met.
SV *perl_start;
long perl_start_refs;

/// Takes a value: 1 if it has not been visited.
int perl_take(SV *sv)
{
    if (sv == perl_start)
        perl_start_refs++;
    return graph_take(sv);
}

/// The node that the interpreter's roots hang on: 0 if there is only one interpreter.
int perl_root;
/// How many keys of the hash at hand lead to values with frames, where it is big enough to fold.
long perl_keys;

/// Adds a value that is nothing but itself to node `n`.
#define perl_add_leaf(sv, flags, n) graph_add_bytes(n, (long)perl_value_bytes(sv, flags), 1)

/// Whether a value gets no frame: it refers to nothing and is small.
#define perl_is_leaf(type, flags) ((type) < PERL_PVMG && !((flags) & SVf_ROK))

/// The last part of a file name and a line: "Cache.pm:57".
_str perl_place(const char *file, uint32_t line)
{
    if (!file)
        return "?";
    uint64_t start = 0;
    uint64_t len = 0;
    while (len < 4096 && file[len]) {
        len++;
        if (file[len - 1] == '/')
            start = len;
    }
    len -= start;
    return sprintf("%s:%u", _tostr(file + start, len < 60 ? len : 60), line);
}

/// Where a sub begins.
_str perl_sub_place(SV *cv)
{
    if (CvFLAGS(cv) & CVf_ISXSUB)
        return _usym((void *)CvROOT(cv));
    OP *start = CvSTART(cv);
    if (start && (start->op_type == perl_op_nextstate || start->op_type == perl_op_dbstate))
        return perl_place(((COP *)start)->cop_file, ((COP *)start)->cop_line);
    return perl_place(CvFILE(cv), 0);
}

/// The node for a sub without a name: one for each place in the program.
int perl_closure_node(SV *cv, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    uint64_t key = graph_key_object(n, CvROOT(cv));
    int c = graph_child_find(key);
    if (c)
        return c;
    return graph_full() ? n : graph_child_make(key, n, (CvFLAGS(cv) & CVf_CLONED ? "closure " : "sub ") + perl_sub_place(cv));
}

/// The node for an object: one for each class.
int perl_class_node(SV *stash, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    uint64_t key = graph_key_object(n, stash);
    int c = graph_child_find(key);
    if (c)
        return c;
    return graph_full() ? n : graph_child_make(key, n, perl_stash_name(stash));
}

/// Adds a value that has just been taken to node `n`: at once if it refers to nothing, else it is put on the list.
void perl_add(SV *sv, int n)
{
    uint32_t flags = SvFLAGS(sv);
    uint32_t type = flags & SVTYPEMASK;
    // References to references are followed here, up to the first that is more.
    for (int i = 0; i < 64; i++) {
        if (type > PERL_PVNV || !(flags & SVf_ROK))
            break;
        perl_add_leaf(sv, flags, n);
        if (SvWEAKREF(sv))
            return;
        sv = SvRV(sv);
        if (!sv || !perl_take(sv))
            return;
        flags = SvFLAGS(sv);
        type = flags & SVTYPEMASK;
    }
    if (type < PERL_PVMG && !(flags & SVf_ROK)) {
        long bytes = perl_value_bytes(sv, flags);
        if (bytes >= PERL_BIG)
            n = graph_child_named(n, PERL_F_STRING, "(long strings)");
        graph_add_bytes(n, bytes, 1);
        return;
    }
    if (flags & SVs_OBJECT)
        n = perl_class_node(SvSTASH(sv), n);
    if (type == PERL_PVCV && (CvFLAGS(sv) & CVf_ANON))
        n = perl_closure_node(sv, n);
    perl_push(sv, n);
}

/// Whether a word is the address of a value: the second word of each is in the set, too, and stays there.
#define perl_is_value(p) (((uint64_t)(p) & 7) == 0 && graph_has((char *)(p) + 8))

/// Takes a value and adds it, if it has not been visited.
void perl_reach(SV *sv, int n)
{
    if (sv && perl_take(sv))
        perl_add(sv, n);
}

/// Whether a key reads like a name in a program: it may be shown. Anything else is data.
int perl_is_name(HEK *hek)
{
    int32_t len = HEK_LEN(hek);
    if (len <= 0 || len > 64)
        return 0;
    const char *p = HEK_KEY(hek);
    for (int32_t i = 0; i < len; i++) {
        char c = p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return 1;
}

/// The node of the value under a key of a hash.
int perl_key_node(HEK *hek, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    if (perl_keys > PERL_MANY_NAMES && perl_keys > perl_fold)
        return graph_child_many(n, 1, "{", "", perl_keys, "}");
    uint64_t key = graph_key_object(n, hek);
    int c = graph_child_find(key);
    if (c)
        return c;
    if (graph_full())
        return n;
    int32_t len = HEK_LEN(hek);
    if (perl_is_name(hek))
        return graph_child_make(key, n, "{" + perl_hek_text(hek) + "}");
    if (perl_show_keys && len >= 0 && perl_keys <= perl_fold)
        return graph_child_make(key, n, "{" + _tostr_quoted(HEK_KEY(hek), len < 64 ? len : 64) + "}");
    c = graph_child_many(n, 1, "{", "", perl_keys > perl_fold ? perl_keys : 0, "}");
    if (c != n && !graph_node_many[n])
        graph_children[key] = c;
    return c;
}

/// Counts the keys of a big hash whose values get frames.
void perl_count_keys(SV *hv)
{
    HE **array = HvARRAY(hv);
    uint64_t max = HvMAX(hv);
    uint64_t left = HvTOTALKEYS(hv) + 1024;
    perl_keys = 0;
    for (uint64_t b = 0; b <= max; b++) {
        perl_ahead_of_buckets(array, b, max, PERL_AHEAD_FLAGS);
        for (HE *he = array[b]; he; he = HeNEXT(he)) {
            if (left-- == 0)
                _raise("a hash with more entries than it counts");
            SV *sv = HeVAL(he);
            if (!sv)
                continue;
            uint32_t flags = SvFLAGS(sv);
            if (!perl_is_leaf(flags & SVTYPEMASK, flags))
                perl_keys++;
        }
    }
}

/// The magic of a value: what it is tied to, and what modules attached to it.
void perl_walk_magic(SV *sv, int n)
{
    MAGIC *mg = SvMAGIC(sv);
    for (int i = 0; mg && i < 4096; i++) {
        SV *o = (SV *)mg->mg_obj;
        if (mg->mg_type == PERL_MAGIC_backref) {
            // Who refers to it weakly: the list is its own, what it lists is not.
            if (o && SvTYPE(o) == PERL_PVAV && perl_take(o))
                perl_add_leaf(o, SvFLAGS(o), graph_child_named(n, PERL_F_BACKREFS, "(weak references to it)"));
        } else if (o && o != sv && (mg->mg_flags & MGf_REFCOUNTED)) {
            int tied = mg->mg_type == 'P' || mg->mg_type == 'q' || mg->mg_type == 'p';
            perl_reach(o, tied ? graph_child_named(n, PERL_F_TIED, "(tied)") : graph_child_named(n, PERL_F_MAGIC, "(magic)"));
        }
        if (mg->mg_len == HEf_SVKEY)
            perl_reach((SV *)mg->mg_ptr, n);
        mg = mg->mg_moremagic;
    }
}

void perl_walk_array(SV *av, uint32_t flags, int n)
{
    perl_add_leaf(av, flags, n);
    // What a list does not own, it keeps not alive.
    if (!(flags & SVpav_REAL))
        return;
    SV **array = AvARRAY(av);
    int64_t fill = AvFILLp(av);
    if (!array || fill < 0)
        return;
    if (fill > AvMAX(av))
        _raise("an array with more elements than room");
    int folded = 0;
    if (fill >= perl_fold) {
        long many = 0;
        for (int64_t i = 0; i <= fill && many <= perl_fold; i++)
            many += array[i] && (SvFLAGS(array[i]) & SVf_ROK);
        if (many > perl_fold)
            folded = graph_child_many(n, 2, "[", "", fill + 1, "]");
    }
    for (int64_t i = 0; i <= fill; i++) {
        if (fill >= PERL_AHEAD_SLOTS)
            perl_ahead_of_elements(array, i, fill);
        SV *sv = array[i];
        if (!sv || !perl_take(sv))
            continue;
        uint32_t f = SvFLAGS(sv);
        uint32_t type = f & SVTYPEMASK;
        if (perl_is_leaf(type, f)) {
            long bytes = perl_value_bytes(sv, f);
            if (bytes < PERL_BIG) {
                graph_add_bytes(n, bytes, 1);
                continue;
            }
            graph_add_bytes(folded ? folded : graph_child_index(n, i), bytes, 1);
            continue;
        }
        perl_add(sv, folded ? folded : graph_child_index(n, i));
    }
}

/// The extra part of a package's or an iterated hash.
void perl_walk_aux(SV *hv, int n)
{
    struct xpvhv_aux *aux = HvAUX(hv);
    SV *back = (SV *)aux->xhv_backreferences;
    if (back && SvTYPE(back) == PERL_PVAV && perl_take(back))
        perl_add_leaf(back, SvFLAGS(back), graph_child_named(n, PERL_F_BACKREFS, "(weak references to it)"));
    struct mro_meta *meta = aux->xhv_mro_meta;
    if (meta) {
        int methods = graph_child_named(n, PERL_F_METHODS, "(method cache)");
        perl_reach((SV *)meta->mro_linear_all, methods);
        perl_reach((SV *)meta->mro_linear_current, methods);
        perl_reach((SV *)meta->mro_nextmethod, methods);
        perl_reach((SV *)meta->isa, methods);
        perl_reach((SV *)meta->super, methods);
    }
}

void perl_walk_hash(SV *hv, uint32_t flags, int n)
{
    uint64_t bytes = perl_value_bytes(hv, flags);
    long count = 1;
    if (flags & SVf_OOK)
        perl_walk_aux(hv, n);
    HE **array = HvARRAY(hv);
    // The keys in the string table belong to who uses them.
    if (!array || hv == perl_strtab) {
        graph_add_bytes(n, bytes, count);
        return;
    }
    uint64_t total = HvTOTALKEYS(hv);
    perl_keys = 0;
    if (total > perl_fold)
        perl_count_keys(hv);
    uint64_t max = HvMAX(hv);
    uint64_t left = total + 1024;
    for (uint64_t b = 0; b <= max; b++) {
        if (max >= PERL_AHEAD_SLOTS)
            perl_ahead_of_buckets(array, b, max, PERL_AHEAD_ALL);
        for (HE *he = array[b]; he; he = HeNEXT(he)) {
            if (left-- == 0)
                _raise("a hash with more entries than it counts");
            bytes += perl_entry_bytes(he, flags);
            if (HEK_LEN(HeKEY_hek(he)) == HEf_SVKEY)
                perl_reach(*(SV **)HEK_KEY(HeKEY_hek(he)), n);
            SV *sv = HeVAL(he);
            if (!sv || !perl_take(sv))
                continue;
            uint32_t f = SvFLAGS(sv);
            uint32_t type = f & SVTYPEMASK;
            if (perl_is_leaf(type, f)) {
                long size = perl_value_bytes(sv, f);
                if (size < PERL_BIG) {
                    bytes += size;
                    count++;
                } else {
                    graph_add_bytes(perl_key_node(HeKEY_hek(he), n), size, 1);
                }
                continue;
            }
            perl_add(sv, perl_key_node(HeKEY_hek(he), n));
        }
    }
    graph_add_bytes(n, bytes, count);
}

/// The node of a variable of a sub.
int perl_pad_node(PADNAME *pn, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    uint64_t key = perl_key_pad(n, PadnamePV(pn));
    int c = graph_child_find(key);
    if (c)
        return c;
    return graph_full() ? n : graph_child_make(key, n, (pn->xpadn_flags & 2 ? "state " : "my ") + _tostr(PadnamePV(pn), PadnameLEN(pn)));
}

/// A sub: its code, its pads, its outer sub.
void perl_walk_sub(SV *cv, uint32_t flags, int n)
{
    long bytes = perl_value_bytes(cv, flags);
    graph_add_bytes(n, bytes + (long)perl_pad_bytes, 1);
    if (perl_code_bytes)
        graph_node_bytes[graph_child_named(n, PERL_F_CODE, "(code)")] += perl_code_bytes;
    uint32_t cvflags = CvFLAGS(cv);
    if (cvflags & CVf_CVGV_RC)
        perl_reach((SV *)CvBODY(cv)->xcv_gv_u.xcv_gv, n);
    if (!(cvflags & CVf_WEAKOUTSIDE) && CvOUTSIDE(cv) && perl_take(CvOUTSIDE(cv)))
        perl_push(CvOUTSIDE(cv), graph_child_named(n, PERL_F_OUTER, "(outer sub)"));
    if (cvflags & CVf_ISXSUB) {
        if (cvflags & (CVf_CONST | CVf_REFCOUNTED_ANYSV))
            perl_reach((SV *)CvXSUBANY_ptr(cv), n);
        return;
    }
    PADLIST *pl = CvPADLIST(cv);
    if (!pl)
        return;
    PADNAMELIST *names = PadlistNAMES(pl);
    int64_t last = names ? PadnamelistMAX(names) : -1;
    for (int64_t i = 1; i <= PadlistMAX(pl); i++) {
        SV *pad = PadlistARRAY(pl)[i];
        if (!pad || !perl_take(pad))
            continue;
        perl_add_leaf(pad, SvFLAGS(pad), n);
        SV **array = AvARRAY(pad);
        int64_t fill = AvFILLp(pad);
        if (fill > AvMAX(pad))
            _raise("a pad with more values than room");
        for (int64_t j = 0; j <= fill; j++) {
            SV *sv = array[j];
            if (!sv || !perl_take(sv))
                continue;
            uint32_t f = SvFLAGS(sv);
            uint32_t type = f & SVTYPEMASK;
            if (perl_is_leaf(type, f)) {
                long size = perl_value_bytes(sv, f);
                if (size < PERL_BIG) {
                    graph_add_bytes(n, size, 1);
                    continue;
                }
                PADNAME *pn = j <= last ? PadnamelistARRAY(names)[j] : NULL;
                graph_add_bytes(pn && PadnameLEN(pn) > 1 ? perl_pad_node(pn, n) : graph_child_named(n, PERL_F_CONSTANTS, "(constants and temporaries)"), size, 1);
                continue;
            }
            PADNAME *pn = j <= last ? PadnamelistARRAY(names)[j] : NULL;
            // Subs without a name have frames of their own.
            if (pn && PadnameLEN(pn) > 1)
                perl_add(sv, perl_pad_node(pn, n));
            else
                perl_add(sv, type == PERL_PVCV ? n : graph_child_named(n, PERL_F_CONSTANTS, "(constants and temporaries)"));
        }
    }
}

/// The node of a glob's slot, under the name that a program gives it: `$My::Cache::cache`, `@ARGV`.
int perl_slot_node(SV *gv, int slot, _str sigil, int n)
{
    if (graph_at_depth(n))
        return graph_deeper(n);
    uint64_t key = perl_key_slot(n, GvNAME_HEK(gv), slot);
    int c = graph_child_find(key);
    if (c)
        return c;
    if (graph_full())
        return n;
    SV *stash = GvSTASH(gv);
    _str package = stash && stash != (SV *)perl_interp->Idefstash ? perl_stash_name(stash) + "::" : "main::";
    return graph_child_make(key, n, sigil + package + perl_hek_text(GvNAME_HEK(gv)));
}

/// What a glob holds, each slot under its name. The glob itself has been added.
void perl_walk_slots(SV *gv, int n)
{
    GP *gp = GvGP(gv);
    if (!gp)
        return;
    SV *sv = (SV *)gp->gp_sv;
    if (sv && perl_take(sv)) {
        uint32_t f = SvFLAGS(sv);
        // Most globs have an empty scalar.
        if (perl_is_leaf(f & SVTYPEMASK, f) && (f & SVTYPEMASK) < PERL_PV)
            perl_add_leaf(sv, f, n);
        else
            perl_add(sv, perl_slot_node(gv, 0, "$", n));
    }
    if (gp->gp_av && perl_take((SV *)gp->gp_av))
        perl_add((SV *)gp->gp_av, perl_slot_node(gv, 1, "@", n));
    if (gp->gp_hv && perl_take((SV *)gp->gp_hv))
        perl_add((SV *)gp->gp_hv, perl_slot_node(gv, 2, "%", n));
    if (gp->gp_cv && perl_take((SV *)gp->gp_cv))
        perl_push((SV *)gp->gp_cv, perl_slot_node(gv, 3, "&", n));
    if (gp->gp_io && perl_take((SV *)gp->gp_io))
        perl_add((SV *)gp->gp_io, perl_slot_node(gv, 4, "*", n));
    if (gp->gp_form && perl_take((SV *)gp->gp_form))
        perl_push((SV *)gp->gp_form, perl_slot_node(gv, 5, "format ", n));
}

/// A compiled regular expression: what it was copied from, and the values in its program.
void perl_walk_regexp(SV *sv, int n)
{
    struct regexp *rx = (struct regexp *)SvANY(sv);
    perl_reach((SV *)rx->mother_re, n);
    perl_reach((SV *)rx->paren_names, n);
    perl_reach((SV *)rx->saved_copy, n);
    perl_reach((SV *)rx->qr_anoncv, n);
    if (rx->substrs) {
        for (int i = 0; i < 3; i++) {
            perl_reach((SV *)rx->substrs->data[i].substr, n);
            perl_reach((SV *)rx->substrs->data[i].utf8_substr, n);
        }
    }
    regexp_internal *ri = (regexp_internal *)rx->pprivate;
    if (!ri || !ri->data)
        return;
    uint32_t number = ri->data->count;
    for (uint32_t i = 0; i < number && i < 1 << 20; i++) {
        // There is other data, too.
        void *p = ((void **)ri->data->data)[i];
        if (perl_is_value(p))
            perl_reach((SV *)p, n);
    }
}

/// A value that is not walked by any other function: scalars with magic, lvalues, streams.
void perl_walk_other(SV *sv, uint32_t flags, int n)
{
    uint32_t type = flags & SVTYPEMASK;
    perl_add_leaf(sv, flags, n);
    if (type == PERL_PVIO) {
        XPVIO *io = (XPVIO *)SvANY(sv);
        perl_reach((SV *)io->xio_top_gv, n);
        perl_reach((SV *)io->xio_fmt_gv, n);
        perl_reach((SV *)io->xio_bottom_gv, n);
        return;
    }
    if (isGV_with_GP_flags(flags)) {
        perl_walk_slots(sv, n);
    } else if (type <= PERL_PVLV && type != PERL_REGEXP && (flags & SVf_ROK) && !SvWEAKREF(sv)) {
        perl_reach(SvRV(sv), n);
    }
    if (type == PERL_PVLV)
        perl_reach((SV *)((XPVLV *)SvANY(sv))->xlv_targ, n);
    if (type == PERL_REGEXP)
        perl_walk_regexp(sv, n);
##ifdeftype struct xpvobject
    if (type == PERL_PVOBJ) {
        SV **fields = (SV **)((XPVOBJ *)SvANY(sv))->xobject_fields;
        int64_t max = ((XPVOBJ *)SvANY(sv))->xobject_maxfield;
        for (int64_t i = 0; fields && i <= max && i < 1 << 20; i++)
            perl_reach(fields[i], graph_child_index(n, i));
    }
##endif
}

/// Values that have been taken off the list together, and those of them that are still to be walked.
uint64_t perl_batch[PERL_AHEAD_VALUES];
int perl_batch_next;
int perl_batch_end;

/// Takes values off the list and looks at them.
void perl_take_batch(void)
{
    long number = _elems(perl_work);
    perl_batch_next = 0;
    perl_batch_end = number < PERL_AHEAD_VALUES ? (int)number : PERL_AHEAD_VALUES;
    for (int i = 0; i < perl_batch_end; i++) {
        uint64_t item = _shift(perl_work);
        perl_batch[i] = item;
        perl_ahead_containers[i] = (SV *)(item >> GRAPH_NODE_BITS << 3);
    }
    perl_ahead_of_list(perl_batch_end);
}

/// Walks the contents of a value of the list.
void perl_walk_item(uint64_t item)
{
    SV *sv = (SV *)(item >> GRAPH_NODE_BITS << 3);
    int n = item & (GRAPH_NODES - 1);
    uint32_t flags = SvFLAGS(sv);
    uint32_t type = flags & SVTYPEMASK;
    if (flags & SVs_OBJECT)
        perl_node_objects[n]++;
    switch (type) {
    case PERL_PVAV:
        perl_walk_array(sv, flags, n);
        break;
    case PERL_PVHV:
        perl_walk_hash(sv, flags, n);
        break;
    case PERL_PVCV:
    case PERL_PVFM:
        perl_walk_sub(sv, flags, n);
        break;
    default:
        perl_walk_other(sv, flags, n);
    }
    if (type >= PERL_PVMG && type != PERL_PVIO && SvMAGIC(sv))
        perl_walk_magic(sv, n);
}

#endif
