/// What Perl has allocated for each value: its head and body, which lie in arenas, and the blocks that it owns (buffers of strings and arrays, buckets,
/// keys, magic, pads, optrees, …), in bytes as Perl asked for them. What several values share is counted for the first that is asked about.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_SIZES_Y
#define PERL_SIZES_Y

#include <perl/layouts.y>
#include <perl/c.y>
#include <graph/marks.y>

/// The interpreter that is walked.
struct interpreter *perl_interp;
SV *perl_strtab;

/// Bodies by type.
uint32_t perl_body_sizes[256];
/// What lies in arenas of bodies (bodies and entries of hashes), what in blocks of their own; and what these blocks take in malloc's chunks.
uint64_t perl_bytes_bodies;
uint64_t perl_bytes_blocks;
uint64_t perl_bytes_chunks;
uint64_t perl_number_blocks;
/// How much of the sub that was asked about last is its optree, and its pads' lists and names: not in what `perl_value_bytes` gives.
uint64_t perl_code_bytes;
uint64_t perl_pad_bytes;
/// Entries of hashes, and keys in the string table that have been reached, with their bytes.
uint64_t perl_shared_keys;
uint64_t perl_shared_key_bytes_total;

/// Numbers of the ops whose extra memory is known, by their names; 0: none.
uint32_t perl_op_multideref;
uint32_t perl_op_multiconcat;
uint32_t perl_op_nextstate;
uint32_t perl_op_dbstate;

/// Of how many of the first blocks the word in front was looked at, and before how many of them it is the size of a chunk of glibc's.
uint32_t perl_blocks_tried;
uint32_t perl_blocks_of_glibc;
#define PERL_BLOCKS_TO_TRY 256

/// No block is longer: what says so is no length.
#define PERL_MAX_BLOCK (1ul << 46)

/// Called for each block from malloc that is counted, with where it begins and how much Perl asked for.
__attribute__((weak)) void perl_on_block(void *block, uint64_t size) { }

/// Notes whether a block has the chunk of glibc's malloc that one of its size gets: with flags in the last three bits, and at times 16 bytes longer,
/// where the rest of a chunk was too small to be split off.
void perl_try_block(void *block, uint64_t chunk)
{
    perl_blocks_tried++;
    _try {
        uint64_t found = ((uint64_t *)block)[-1] & ~7ul;
        if (found == chunk || found == chunk + 16)
            perl_blocks_of_glibc++;
    } _catch (_fault f) {
        // Nothing stands in front of it.
    }
}

/// Whether Perl's memory comes from glibc's malloc, as the blocks themselves show.
int perl_has_glibc_blocks(void)
{
    return perl_blocks_tried > 0 && perl_blocks_of_glibc > perl_blocks_tried / 2;
}

/// Counts a block from malloc. Its chunk has a word in front and is a multiple of 16 bytes, at least 32.
uint64_t perl_block(void *block, uint64_t size)
{
    if (size > PERL_MAX_BLOCK)
        _raise("a block of %lu bytes", size);
    perl_on_block(block, size);
    perl_bytes_blocks += size;
    uint64_t chunk = size <= 24 ? 32 : (size + 23) & ~15ul;
    perl_bytes_chunks += chunk;
    perl_number_blocks++;
    if (perl_blocks_tried < PERL_BLOCKS_TO_TRY)
        perl_try_block(block, chunk);
    return size;
}

/// Prepares for an interpreter: sizes of bodies as in `bodies_by_type` of sv.c, where those of strings begin at their length.
void perl_sizes_of(struct interpreter *p)
{
    perl_interp = p;
    perl_strtab = (SV *)p->Istrtab;
    uint64_t skipped = offsetof(struct xpv, xpv_cur);
    perl_body_sizes[PERL_PV] = sizeof(struct xpv) - skipped;
    perl_body_sizes[PERL_INVLIST] = sizeof(struct xpvinvlist) - skipped;
    perl_body_sizes[PERL_PVIV] = sizeof(struct xpviv) - skipped;
    perl_body_sizes[PERL_PVNV] = sizeof(struct xpvnv) - skipped;
    perl_body_sizes[PERL_PVMG] = sizeof(struct xpvmg);
    perl_body_sizes[PERL_REGEXP] = sizeof(struct regexp);
    perl_body_sizes[PERL_PVGV] = sizeof(struct xpvgv);
    perl_body_sizes[PERL_PVLV] = sizeof(struct xpvlv);
    perl_body_sizes[PERL_PVAV] = sizeof(struct xpvav);
    perl_body_sizes[PERL_PVHV] = sizeof(struct xpvhv);
    perl_body_sizes[PERL_PVCV] = sizeof(struct xpvcv);
    perl_body_sizes[PERL_PVFM] = sizeof(struct xpvcv);
    perl_body_sizes[PERL_PVIO] = sizeof(struct xpvio);
##ifdeftype struct xpvobject
    perl_body_sizes[PERL_PVOBJ] = sizeof(struct xpvobject);
##endif
    // Ops are numbered anew in each version.
##ifdefvar PL_op_name
    const char **names = (const char **)&PL_op_name;
##else
    const char **names = NULL;
##endif
    _try {
        // The list ends with what stands for freed ops.
        for (int i = 0; i < 512; i++) {
            _str name = _tostr(names[i]);
            if (name == "multideref")
                perl_op_multideref = i;
            else if (name == "multiconcat")
                perl_op_multiconcat = i;
            else if (name == "nextstate")
                perl_op_nextstate = i;
            else if (name == "dbstate")
                perl_op_dbstate = i;
            else if (name == "freed" || name == "freed op")
                break;
        }
    } _catch (_fault f) {
        // The list has ended.
    }
}

/// A key in the string table, the first time.
uint64_t perl_shared_key_bytes(HEK *hek)
{
    if (!graph_visit(hek))
        return 0;
    int32_t len = HEK_LEN(hek);
    if (len < 0)
        _raise("a shared key of %d bytes", len);
    uint64_t size = perl_block((char *)hek - offsetof(struct shared_he, shared_he_hek), perl_shared_hek_size(len));
    perl_shared_keys++;
    perl_shared_key_bytes_total += size;
    return size;
}

/// The buffer of a string, if the value has one of its own.
uint64_t perl_string_bytes(SV *sv, uint32_t flags)
{
    char *pv = SvPVX(sv);
    if ((flags & SVf_ROK) || !pv)
        return 0;
    uint64_t len = SvLEN(sv);
    if (len == 0) {
        // A shared key, or text that is not Perl's to free.
        if ((flags & (SVf_IsCOW | SVppv_STATIC)) == SVf_IsCOW)
            return perl_shared_key_bytes(SvSHARED_HEK_FROM_PV(pv));
        return 0;
    }
    uint64_t offset = 0;
    if (flags & SVf_OOK) {
        // What was chopped off in front: its length stands right before the text.
        offset = ((uint8_t *)pv)[-1];
        if (offset == 0)
            offset = *(uint64_t *)(pv - 1 - sizeof(uint64_t));
    }
    if ((flags & SVf_IsCOW) && !graph_visit(pv - offset))
        return 0;
    return perl_block(pv - offset, len + offset);
}

/// The magic of a value.
uint64_t perl_magic_bytes(SV *sv)
{
    uint64_t bytes = 0;
    MAGIC *mg = SvMAGIC(sv);
    for (int i = 0; mg && i < 4096; i++) {
        bytes += perl_block(mg, sizeof(MAGIC));
        if (mg->mg_ptr) {
            if (mg->mg_type == PERL_MAGIC_utf8)
                bytes += perl_block(mg->mg_ptr, PERL_MAGIC_UTF8_CACHESIZE * 2 * sizeof(uint64_t));
            else if (mg->mg_len > 0)
                bytes += perl_block(mg->mg_ptr, mg->mg_len + 1);
        }
        mg = mg->mg_moremagic;
    }
    return bytes;
}

/// A hash: its buckets, entries and keys, and the extra part, which packages have. The keys in the string table are not the table's own.
uint64_t perl_hash_bytes(SV *hv, uint32_t flags)
{
    uint64_t bytes = 0;
    HE **array = HvARRAY(hv);
    uint64_t max = HvMAX(hv);
    if (array) {
        if (max >= PERL_MAX_BLOCK / sizeof(HE *))
            _raise("a hash of %lu buckets", max);
        bytes += perl_block(array, (max + 1) * sizeof(HE *) + (!PERL_AUX_IN_BODY && (flags & SVf_OOK) ? sizeof(struct xpvhv_aux) : 0));
    }
    if (flags & SVf_OOK) {
        struct xpvhv_aux *aux = HvAUX(hv);
        if (PERL_AUX_IN_BODY) {
            bytes += sizeof(struct xpvhv_aux);
            perl_bytes_bodies += sizeof(struct xpvhv_aux);
        }
        int32_t names = aux->xhv_name_count < 0 ? -aux->xhv_name_count : aux->xhv_name_count;
        if (names) {
            bytes += perl_block(aux->xhv_name_u.xhvnameu_names, (uint64_t)names * sizeof(HEK *));
            for (int32_t i = 0; i < names && i < 4096; i++)
                if (aux->xhv_name_u.xhvnameu_names[i])
                    bytes += perl_shared_key_bytes(aux->xhv_name_u.xhvnameu_names[i]);
        } else if (aux->xhv_name_u.xhvnameu_name) {
            bytes += perl_shared_key_bytes(aux->xhv_name_u.xhvnameu_name);
        }
        if (aux->xhv_mro_meta)
            bytes += perl_block(aux->xhv_mro_meta, sizeof(struct mro_meta));
    }
    return bytes;
}

/// An entry of a hash with its key.
uint64_t perl_entry_bytes(HE *he, uint32_t hash_flags)
{
    perl_bytes_bodies += sizeof(HE);
    HEK *hek = HeKEY_hek(he);
    if (hash_flags & SVphv_SHAREKEYS)
        return sizeof(HE) + perl_shared_key_bytes(hek);
    int32_t len = HEK_LEN(hek);
    if (len == HEf_SVKEY)
        return sizeof(HE) + perl_block(hek, HEK_BASESIZE + sizeof(SV *));
    if (len < 0)
        _raise("a key of %d bytes", len);
    return sizeof(HE) + perl_block(hek, perl_hek_size(len));
}

/// All entries of a hash. `limit` ends chains that do not end.
uint64_t perl_entries_bytes(SV *hv, uint32_t flags)
{
    HE **array = HvARRAY(hv);
    if (!array || hv == perl_strtab)
        return 0;
    uint64_t bytes = 0;
    uint64_t left = HvTOTALKEYS(hv) + 1024;
    uint64_t max = HvMAX(hv);
    for (uint64_t b = 0; b <= max; b++) {
        for (HE *he = array[b]; he; he = HeNEXT(he)) {
            if (left-- == 0)
                _raise("a hash with more entries than it counts");
            bytes += perl_entry_bytes(he, flags);
        }
    }
    return bytes;
}

/// An array's buffer, with what was shifted off in front.
uint64_t perl_array_bytes(SV *av)
{
    SV **alloc = (SV **)AvALLOC(av);
    if (!alloc)
        return 0;
    SV **array = AvARRAY(av);
    int64_t max = AvMAX(av);
    if (max < -1 || array < alloc)
        _raise("an array whose buffer is not its own");
    return perl_block(alloc, ((uint64_t)(max + 1) + (array - alloc)) * sizeof(SV *));
}

/// A name in a pad, the first time. Closures share the names of their prototypes.
uint64_t perl_padname_bytes(PADNAME *pn)
{
    // Two that stand for no name are part of the interpreter.
    if (!pn || ((uint64_t)pn >= (uint64_t)perl_interp && (uint64_t)pn < (uint64_t)perl_interp + sizeof(struct interpreter)))
        return 0;
    if (!graph_visit(pn))
        return 0;
    uint64_t text = (uint64_t)PadnamePV(pn) - (uint64_t)pn;
    // The text follows, but for names of outer subs.
    return perl_block(pn, text < sizeof(PADNAME) + 8 ? text + PadnameLEN(pn) + 1 : sizeof(PADNAME));
}

/// The list of a sub's pads and the names in them. The pads themselves are arrays, values of their own.
uint64_t perl_padlist_bytes(PADLIST *pl)
{
    if (!pl)
        return 0;
    int64_t max = PadlistMAX(pl);
    if (max < 0 || max > 1 << 24)
        _raise("a sub with %ld pads", max);
    uint64_t bytes = perl_block(pl, sizeof(PADLIST)) + perl_block(PadlistARRAY(pl), (uint64_t)(max + 1) * sizeof(SV *));
    PADNAMELIST *names = PadlistNAMES(pl);
    if (!names || !graph_visit(names))
        return bytes;
    int64_t last = PadnamelistMAX(names);
    if (last < -1 || last > 1 << 28 || names->xpadnl_max < last)
        _raise("a list of %ld names of a pad", last);
    bytes += perl_block(names, sizeof(PADNAMELIST)) + perl_block(PadnamelistARRAY(names), (uint64_t)(names->xpadnl_max + 1) * sizeof(PADNAME *));
    for (int64_t i = 0; i <= last; i++)
        bytes += perl_padname_bytes(PadnamelistARRAY(names)[i]);
    return bytes;
}

/// Hints of a scope (`%^H`, `use feature`): a chain that scopes share.
uint64_t perl_hints_bytes(struct refcounted_he *he)
{
    uint64_t bytes = 0;
    while (he && graph_visit(he)) {
        uint64_t size = offsetof(struct refcounted_he, refcounted_he_data) + 1 + (uint64_t)he->refcounted_he_keylen;
        // The value of a string stands between its kind and the key.
        if ((he->refcounted_he_data[0] & 0x60) == 0x40)
            size += (uint64_t)he->refcounted_he_val.refcounted_he_u_len + 1;
        bytes += perl_block(he, size);
        he = he->refcounted_he_next;
    }
    return bytes;
}

/// Text that statements share: counted since 5.38.
uint64_t perl_shared_text_bytes(char *pv)
{
##ifdeftype struct rcpv
    RCPV *shared = RCPVx(pv);
    if (!graph_visit(shared))
        return 0;
    return perl_block(shared, offsetof(struct rcpv, pv) + shared->len);
##else
    return graph_visit(pv) ? perl_block(pv, strlen(pv) + 1) : 0;
##endif
}

/// Whether a statement's warnings are one of the two sets that all share.
int perl_standard_warnings(uint64_t warnings)
{
##ifdefvar PL_WARN_ALL
    if (warnings == (uint64_t)&PL_WARN_ALL)
        return 1;
##endif
##ifdefvar PL_WARN_NONE
    if (warnings == (uint64_t)&PL_WARN_NONE)
        return 1;
##endif
    return 0;
}

/// What a statement holds outside of its op: the file's name, warnings, hints.
uint64_t perl_statement_bytes(COP *cop)
{
    uint64_t bytes = perl_hints_bytes(cop->cop_hints_hash);
    if (cop->cop_file)
        bytes += perl_shared_text_bytes(cop->cop_file);
    uint64_t warnings = (uint64_t)cop->cop_warnings;
    if (warnings && !perl_standard_warnings(warnings)) {
##ifdeftype struct rcpv
        bytes += perl_shared_text_bytes((char *)warnings);
##else
        if (graph_visit((void *)warnings))
            bytes += perl_block((void *)warnings, sizeof(uint64_t) + *(uint64_t *)warnings);
##endif
    }
    return bytes;
}

/// The slabs that the ops of a sub lie in, the first time.
uint64_t perl_slab_bytes(OP *o)
{
    if (!o->op_slabbed)
        return perl_block(o, sizeof(OP));
    OPSLAB *slab = OpMySLAB(o)->opslab_head;
    if (!graph_visit(slab))
        return 0;
    uint64_t bytes = 0;
    if (slab->opslab_freed)
        bytes += perl_block(slab->opslab_freed, (uint64_t)slab->opslab_freed_size * sizeof(OP *));
    for (int i = 0; slab && i < 1 << 20; i++) {
        bytes += perl_block(slab, (uint64_t)slab->opslab_size * sizeof(OP *));
        slab = slab->opslab_next;
    }
    return bytes;
}

/// Ops whose own memory is still to be counted.
OP *perl_ops[];

/// An optree: its slabs, and what single ops hold outside of them. Values that ops refer to lie in pads.
uint64_t perl_optree_bytes(OP *root)
{
    if (!root || !graph_visit(root))
        return 0;
    uint64_t bytes = 0;
    _clear(perl_ops);
    _push(perl_ops, root);
    while (_elems(perl_ops) > 0) {
        OP *o = _pop(perl_ops);
        bytes += perl_slab_bytes(o);
        uint32_t type = o->op_type;
        uint32_t class = type < 512 ? PL_opargs_of(type) & OA_CLASS_MASK : 0;
        if (type && (type == perl_op_nextstate || type == perl_op_dbstate)) {
            bytes += perl_statement_bytes((COP *)o);
        } else if (class == OA_UNOP_AUX) {
            uint64_t *aux = (uint64_t *)((UNOP_AUX *)o)->op_aux;
            if (aux && type == perl_op_multideref) {
                bytes += perl_block(&aux[-1], (aux[-1] + 1) * sizeof(uint64_t));
            } else if (aux && type == perl_op_multiconcat) {
                // Number of arguments, text and its length, the same as UTF-8, then the lengths of its parts.
                uint64_t parts = (aux[0] + 1) * (aux[1] && aux[3] && aux[1] != aux[3] ? 2 : 1);
                bytes += perl_block(aux, (5 + parts) * sizeof(uint64_t));
                if (aux[1])
                    bytes += perl_block((void *)aux[1], aux[2] + 1);
                if (aux[3] && aux[3] != aux[1])
                    bytes += perl_block((void *)aux[3], aux[4] + 1);
            }
        } else if (class == OA_PMOP) {
            OP *code = ((PMOP *)o)->op_code_list;
            if (code && !(o->op_flags & OPf_SPECIAL) && ((uint64_t)code & 7) == 0 && graph_visit(code))
                _push(perl_ops, code);
        }
        if (o->op_flags & OPf_KIDS) {
            OP *kid = ((UNOP *)o)->op_first;
            while (kid && graph_visit(kid)) {
                _push(perl_ops, kid);
                if (!kid->op_moresib)
                    break;
                kid = kid->op_sibparent;
            }
        }
    }
    return bytes;
}

/// A sub's file name; its optree and pads go to `perl_code_bytes` and `perl_pad_bytes`.
uint64_t perl_sub_bytes(SV *cv)
{
    uint32_t flags = CvFLAGS(cv);
    uint64_t bytes = 0;
    if ((flags & CVf_DYNFILE) && CvFILE(cv))
        bytes += graph_visit(CvFILE(cv)) ? perl_block(CvFILE(cv), strlen(CvFILE(cv)) + 1) : 0;
    if ((flags & CVf_NAMED) && CvBODY(cv)->xcv_gv_u.xcv_hek)
        bytes += perl_shared_key_bytes(CvBODY(cv)->xcv_gv_u.xcv_hek);
    if (flags & CVf_ISXSUB)
        return bytes;
    perl_pad_bytes = perl_padlist_bytes(CvPADLIST(cv));
    perl_code_bytes = perl_optree_bytes(CvROOT(cv));
    return bytes;
}

/// A compiled regular expression. Copies share the program.
uint64_t perl_regexp_bytes(SV *sv)
{
    struct regexp *rx = (struct regexp *)SvANY(sv);
    uint64_t bytes = 0;
    if (rx->offs && rx->nparens < 1 << 20)
        bytes += perl_block(rx->offs, ((uint64_t)rx->nparens + 1) * sizeof(regexp_paren_pair));
    if (rx->substrs && graph_visit(rx->substrs))
        bytes += perl_block(rx->substrs, sizeof(struct reg_substr_data));
    if (rx->subbeg && rx->sublen > 0 && !rx->saved_copy)
        bytes += perl_block(rx->subbeg, rx->sublen + 1);
    if (rx->pprivate && graph_visit(rx->pprivate)) {
        regexp_internal *ri = (regexp_internal *)rx->pprivate;
##ifdeffield struct regexp_internal proglen
        uint64_t program = ri->proglen;
##else
        uint64_t program = ri->u.proglen;
##endif
        bytes += perl_block(ri, sizeof(regexp_internal) + (program + 1) * sizeof(uint32_t));
        if (ri->data && graph_visit(ri->data))
            bytes += perl_block(ri->data, sizeof(struct reg_data) + (uint64_t)ri->data->count * 8) + perl_block(ri->data->what, ri->data->count);
    }
    return bytes;
}

/// A name in a format's stream.
uint64_t perl_io_name_bytes(char *name)
{
    return name ? perl_block(name, strlen(name) + 1) : 0;
}

/// Head, body and blocks of a value, without the entries of a hash, and without the optree and pads of a sub.
uint64_t perl_value_bytes(SV *sv, uint32_t flags)
{
    uint32_t type = flags & SVTYPEMASK;
    uint32_t body = perl_body_sizes[type];
    uint64_t bytes = sizeof(SV) + body;
    if (body == 0)
        return bytes;
    if (type == PERL_PVFM)
        perl_block(SvANY(sv), body);
    else
        perl_bytes_bodies += body;
    switch (type) {
    case PERL_PV:
    case PERL_PVIV:
    case PERL_PVNV:
    case PERL_INVLIST:
        return bytes + perl_string_bytes(sv, flags);
    case PERL_PVMG:
        bytes += perl_string_bytes(sv, flags);
        break;
    case PERL_REGEXP:
        bytes += perl_string_bytes(sv, flags) + perl_regexp_bytes(sv);
        break;
    case PERL_PVGV:
    case PERL_PVLV:
        if (isGV_with_GP_flags(flags)) {
            GP *gp = GvGP(sv);
            if (GvNAME_HEK(sv))
                bytes += perl_shared_key_bytes(GvNAME_HEK(sv));
            if (gp && graph_visit(gp)) {
                bytes += perl_block(gp, sizeof(GP));
                if (gp->gp_file_hek)
                    bytes += perl_shared_key_bytes(gp->gp_file_hek);
            }
        } else if (flags & (SVf_POK | SVp_POK)) {
            bytes += perl_string_bytes(sv, flags);
        }
        break;
    case PERL_PVAV:
        bytes += perl_array_bytes(sv);
        break;
    case PERL_PVHV:
        bytes += perl_hash_bytes(sv, flags);
        break;
    case PERL_PVCV:
    case PERL_PVFM:
        if (flags & (SVf_POK | SVp_POK))
            bytes += perl_string_bytes(sv, flags);
        perl_code_bytes = 0;
        perl_pad_bytes = 0;
        bytes += perl_sub_bytes(sv);
        break;
    case PERL_PVIO:
        bytes += perl_io_name_bytes(((XPVIO *)SvANY(sv))->xio_top_name) + perl_io_name_bytes(((XPVIO *)SvANY(sv))->xio_fmt_name) +
                 perl_io_name_bytes(((XPVIO *)SvANY(sv))->xio_bottom_name);
        break;
##ifdeftype struct xpvobject
    case PERL_PVOBJ:
        if (((XPVOBJ *)SvANY(sv))->xobject_fields)
            bytes += perl_block(((XPVOBJ *)SvANY(sv))->xobject_fields, (uint64_t)(((XPVOBJ *)SvANY(sv))->xobject_maxfield + 1) * sizeof(SV *));
        break;
##endif
    default:
        _raise("a value of the unknown type %u", type);
    }
    if (SvMAGIC(sv))
        bytes += perl_magic_bytes(sv);
    return bytes;
}

/// The name of a type, as Devel::Peek shows it.
_str perl_type_name(uint32_t type)
{
    switch (type) {
    case PERL_NULL: return "undef";
    case PERL_IV: return "integer or reference (IV)";
    case PERL_NV: return "number (NV)";
    case PERL_PV: return "string (PV)";
    case PERL_INVLIST: return "inversion list";
    case PERL_PVIV: return "string or integer (PVIV)";
    case PERL_PVNV: return "string or number (PVNV)";
    case PERL_PVMG: return "scalar with magic or class (PVMG)";
    case PERL_REGEXP: return "regular expression";
    case PERL_PVGV: return "glob (GV)";
    case PERL_PVLV: return "lvalue (LV)";
    case PERL_PVAV: return "array (AV)";
    case PERL_PVHV: return "hash (HV)";
    case PERL_PVCV: return "sub (CV)";
    case PERL_PVFM: return "format (FM)";
    case PERL_PVIO: return "file handle (IO)";
    case PERL_PVOBJ: return "object (OBJ)";
    }
    return "unknown";
}

/// A key as text.
_str perl_hek_text(HEK *hek)
{
    int32_t len = HEK_LEN(hek);
    return len < 0 ? "?" : _tostr(HEK_KEY(hek), len < 120 ? len : 120);
}

/// The name of a package: that of its stash.
_str perl_stash_name(SV *hv)
{
    if (!hv || SvTYPE(hv) != PERL_PVHV || !HvHasAUX(hv))
        return "(no package)";
    struct xpvhv_aux *aux = HvAUX(hv);
    HEK *name = aux->xhv_name_count ? aux->xhv_name_u.xhvnameu_names[0] : aux->xhv_name_u.xhvnameu_name;
    return name ? perl_hek_text(name) : "(deleted package)";
}

#endif
