/// What Perl's structures look like in the versions that are in use, for interpreters without debug information: one candidate for each version, built
/// with threads (`usethreads`, as all distributions do) for 64-bit integers and pointers.
///
/// Only the fields that the walk reads are declared, at their exact offsets; the rest is padding. Candidates are tried in order, and one is believed
/// only after `perl_valid` of <perl/vm.y> has held on the live structures.
///
/// To add a version, take the offsets and sizes from its debug information (package perl-debug or the like), for instance with gdb's `ptype /o struct
/// interpreter`; an interpreter with debug information needs no candidate, so the same walk on that one tells whether the new one is right.

#ifndef PERL_LAYOUTS_Y
#define PERL_LAYOUTS_Y

int perl_valid(void);

_layout perl {
    "5.36-threaded" {
        // sizes: sv 24, xpv 32, xpviv 40, xpvnv 48, xpvinvlist 56, xpvmg 48, xpvgv 48, xpvlv 80, xpvav 40, xpvhv_aux 56, xpvhv 32, xpvhv_with_aux 88,
        // xpvcv 104, xpvio 136, reg_substr_datum 40, reg_substr_data 128, regexp_paren_pair 24, regexp 192, reg_data 24, regexp_internal 40, hek 12,
        // he 24, shared_he 40, gp 80, magic 48, padname 48, padnamelist 40, padlist 24, op 40, unop 48, unop_aux 56, svop 48, pvop 48, cop 88,
        // pmop 96, opslot 48, opslab 88, refcounted_he 32, arena_desc 24, arena_set 4072, stackinfo 56, context 104, mro_meta 72, _PerlIO_funcs 224,
        // _PerlIO 32, PerlIOBuf 80, interpreter 3768
        typedef struct sv SV; typedef struct xpv XPV; typedef struct xpviv XPVIV; typedef struct xpvnv XPVNV;
        typedef struct xpvinvlist XINVLIST; typedef struct xpvmg XPVMG; typedef struct xpvgv XPVGV; typedef struct xpvlv XPVLV;
        typedef struct xpvav XPVAV; typedef struct xpvhv XPVHV; typedef struct xpvcv XPVCV; typedef struct xpvio XPVIO;
        typedef struct regexp_paren_pair regexp_paren_pair; typedef struct regexp_internal regexp_internal; typedef struct hek HEK;
        typedef struct he HE; typedef struct gp GP; typedef struct magic MAGIC; typedef struct padname PADNAME;
        typedef struct padnamelist PADNAMELIST; typedef struct padlist PADLIST; typedef struct op OP; typedef struct unop UNOP;
        typedef struct unop_aux UNOP_AUX; typedef struct svop SVOP; typedef struct pvop PVOP; typedef struct cop COP;
        typedef struct pmop PMOP; typedef struct opslot OPSLOT; typedef struct opslab OPSLAB; typedef struct stackinfo PERL_SI;
        typedef struct context PERL_CONTEXT; typedef struct _PerlIO_funcs PerlIO_funcs; typedef struct _PerlIO PerlIOl;
        typedef PerlIOl *PerlIO;
        struct sv {
            void *sv_any; uint32_t sv_refcnt; uint32_t sv_flags;
            union { char *svu_pv; int64_t svu_iv; double svu_nv; SV *svu_rv; SV **svu_array; HE **svu_hash; GP *svu_gp; PerlIO *svu_fp; } sv_u;
        };
        struct xpv {
            uint8_t pad0[16]; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
        };
        struct xpviv {
            uint64_t words[5];
        };
        struct xpvnv {
            uint64_t words[6];
        };
        struct xpvinvlist {
            uint64_t words[7];
        };
        struct xpvmg {
            SV *xmg_stash; union { MAGIC *xmg_magic; } xmg_u; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
            union { int64_t xivu_iv; HEK *xivu_namehek; } xiv_u; union { double xnv_nv; SV *xgv_stash; } xnv_u;
        };
        struct xpvgv {
            uint64_t words[6];
        };
        struct xpvlv {
            uint8_t pad0[64]; SV *xlv_targ; char xlv_type;
        };
        struct xpvav {
            uint8_t pad0[16]; int64_t xav_fill; int64_t xav_max; SV **xav_alloc;
        };
        struct xpvhv_aux {
            union { HEK *xhvnameu_name; HEK **xhvnameu_names; } xhv_name_u; SV *xhv_backreferences; uint8_t pad0[12];
            int32_t xhv_name_count; struct mro_meta *xhv_mro_meta; uint8_t pad1[16];
        };
        struct xpvhv {
            uint8_t pad0[16]; uint64_t xhv_keys; uint64_t xhv_max;
        };
        struct xpvhv_with_aux {
            uint8_t pad0[32]; struct xpvhv_aux xhv_aux;
        };
        struct xpvcv {
            uint8_t pad0[32]; SV *xcv_stash; union { OP *xcv_start; union { void *any_ptr; } xcv_xsubany; } xcv_start_u;
            union { OP *xcv_root; } xcv_root_u; union { SV *xcv_gv; HEK *xcv_hek; } xcv_gv_u; char *xcv_file;
            union { PADLIST *xcv_padlist; } xcv_padlist_u; SV *xcv_outside; uint8_t pad1[4]; uint32_t xcv_flags; int32_t xcv_depth;
        };
        struct xpvio {
            uint8_t pad0[40]; PerlIO *xio_ofp; uint8_t pad1[32]; char *xio_top_name; SV *xio_top_gv; char *xio_fmt_name; SV *xio_fmt_gv;
            char *xio_bottom_name; SV *xio_bottom_gv; char xio_type; uint8_t xio_flags;
        };
        struct reg_substr_datum {
            uint8_t pad0[16]; SV *substr; SV *utf8_substr; uint8_t pad1[8];
        };
        struct reg_substr_data {
            uint8_t pad0[8]; struct reg_substr_datum data[3];
        };
        struct regexp_paren_pair {
            int64_t start; uint8_t pad0[16];
        };
        struct regexp {
            uint8_t pad0[40]; SV *mother_re; SV *paren_names; uint8_t pad1[4]; uint32_t nparens; uint8_t pad2[24];
            struct reg_substr_data *substrs; void *pprivate; uint8_t pad3[8]; regexp_paren_pair *offs; uint8_t pad4[16]; char *subbeg;
            SV *saved_copy; int64_t sublen; uint8_t pad5[24]; SV *qr_anoncv;
        };
        struct reg_data {
            uint32_t count; uint8_t pad0[4]; uint8_t *what; void *data[1];
        };
        struct regexp_internal {
            uint8_t pad0[8]; struct reg_data *data; uint8_t pad1[8]; uint32_t proglen; uint8_t pad2[4]; uint32_t program[1];
        };
        struct hek {
            uint32_t hek_hash; int32_t hek_len; char hek_key[1];
        };
        struct he {
            HE *hent_next; HEK *hent_hek; union { SV *hent_val; uint64_t hent_refcount; } he_valu;
        };
        struct shared_he {
            struct he shared_he_he; struct hek shared_he_hek;
        };
        struct gp {
            SV *gp_sv; SV *gp_io; SV *gp_cv; uint8_t pad0[4]; uint32_t gp_refcnt; SV *gp_hv; SV *gp_av; SV *gp_form; SV *gp_egv;
            uint8_t pad1[8]; HEK *gp_file_hek;
        };
        struct magic {
            MAGIC *mg_moremagic; uint8_t pad0[10]; char mg_type; uint8_t mg_flags; uint8_t pad1[4]; int64_t mg_len; SV *mg_obj;
            char *mg_ptr;
        };
        struct padname {
            char *xpadn_pv; uint8_t pad0[8]; union { SV *xpadn_protocv; } xpadn_type_u; uint8_t pad1[8]; uint32_t xpadn_refcnt;
            uint8_t pad2[4]; uint8_t xpadn_len; uint8_t xpadn_flags;
        };
        struct padnamelist {
            int64_t xpadnl_fill; PADNAME **xpadnl_alloc; int64_t xpadnl_max; uint8_t pad0[16];
        };
        struct padlist {
            int64_t xpadl_max; union { SV **xpadlarr_alloc; } xpadl_arr; uint8_t pad0[8];
        };
        struct op {
            OP *op_next; OP *op_sibparent; uint8_t pad0[8]; uint64_t op_targ; uint16_t op_type : 9; uint16_t : 1; uint16_t op_slabbed : 1;
            uint16_t : 3; uint16_t op_moresib : 1; uint16_t : 1; uint8_t op_flags; uint8_t op_private;
        };
        struct unop {
            uint8_t pad0[40]; OP *op_first;
        };
        struct unop_aux {
            uint8_t pad0[48]; void *op_aux;
        };
        struct svop {
            uint8_t pad0[40]; SV *op_sv;
        };
        struct pvop {
            uint8_t pad0[40]; char *op_pv;
        };
        struct cop {
            uint8_t pad0[36]; uint32_t cop_line; uint8_t pad1[8]; char *cop_file; uint8_t pad2[8]; void *cop_warnings;
            struct refcounted_he *cop_hints_hash; uint8_t pad3[8];
        };
        struct pmop {
            uint8_t pad0[64]; uint32_t op_pmflags; uint8_t pad1[4]; union { OP *op_pmreplroot; } op_pmreplrootu; uint8_t pad2[8];
            OP *op_code_list;
        };
        struct opslot {
            uint16_t opslot_size; uint16_t opslot_offset; uint8_t pad0[4]; struct op opslot_op;
        };
        struct opslab {
            struct opslab *opslab_next; struct opslab *opslab_head; void *opslab_freed; uint8_t pad0[8]; uint16_t opslab_freed_size;
            uint16_t opslab_size; uint8_t pad1[4]; struct opslot opslab_slots;
        };
        struct refcounted_he {
            struct refcounted_he *refcounted_he_next; uint8_t pad0[4]; uint32_t refcounted_he_keylen;
            union { uint64_t refcounted_he_u_len; } refcounted_he_val; uint8_t pad1[4]; char refcounted_he_data[1];
        };
        struct arena_desc {
            char *arena; uint64_t size; uint8_t pad0[8];
        };
        struct arena_set {
            struct arena_set *next; uint32_t set_size; uint32_t curr; struct arena_desc set[169];
        };
        struct stackinfo {
            SV *si_stack; void *si_cxstack; PERL_SI *si_prev; PERL_SI *si_next; int32_t si_cxix; int32_t si_cxmax; uint8_t pad0[16];
        };
        struct context {
            uint64_t words[13];
        };
        struct mro_meta {
            SV *mro_linear_all; SV *mro_linear_current; SV *mro_nextmethod; uint8_t pad0[16]; SV *isa; SV *super; SV *destroy;
            uint8_t pad1[8];
        };
        struct _PerlIO_funcs {
            uint8_t pad0[8]; const char *name; uint64_t size; uint32_t kind; uint8_t pad1[196];
        };
        struct _PerlIO {
            PerlIOl *next; PerlIO_funcs *tab; uint32_t flags; uint8_t pad0[12];
        };
        typedef struct {
            uint8_t pad0[32]; char *buf; uint8_t pad1[24]; uint64_t bufsiz; uint8_t pad2[8];
        } PerlIOBuf;
        struct interpreter {
            SV **Istack_sp; uint8_t pad0[16]; SV **Istack_base; uint8_t pad1[8]; void *Isavestack; int32_t Isavestack_ix;
            int32_t Isavestack_max; int32_t *Iscopestack; uint8_t pad2[4]; int32_t Iscopestack_max; SV **Itmps_stack; int64_t Itmps_ix;
            uint8_t pad3[8]; int64_t Itmps_max; int32_t *Imarkstack; uint8_t pad4[8]; int32_t *Imarkstack_max; uint8_t pad5[16];
            SV *Istrtab; uint8_t pad6[32]; SV *Idefgv; SV *Idefstash; uint8_t pad7[8]; COP *Icurcop; SV *Icurstack; PERL_SI *Icurstackinfo;
            SV *Imainstack; int64_t Isv_count; SV *Isv_root; SV *Isv_arenaroot; uint8_t pad8[32]; SV Isv_yes; SV Isv_undef; SV Isv_no;
            uint8_t pad9[136]; SV *Istashcache; uint8_t pad10[944]; SV *Iincgv; uint8_t pad11[168]; SV *Ierrgv; uint8_t pad12[112];
            SV *Iendav; uint8_t pad13[40]; SV *Imain_cv; OP *Imain_root; uint8_t pad14[8]; OP *Ieval_root; uint8_t pad15[88];
            SV *Imodglobal; uint8_t pad16[624]; SV **Ipsig_ptr; uint8_t pad17[24]; void *Ibody_arenas; uint8_t pad18[8]; SV *Iregex_padav;
            SV **Istashpad; uint64_t Istashpadmax; uint8_t pad19[32]; PerlIOl *Iperlio; uint8_t pad20[88]; SV *Iisarev; uint8_t pad21[120];
            void **Imy_cxt_list; int32_t Imy_cxt_size; uint8_t pad22[876];
        };
    }
    "5.40-threaded" {
        // sizes: sv 24, xpv 32, xpviv 40, xpvnv 48, xpvinvlist 56, xpvmg 48, xpvgv 48, xpvlv 80, xpvav 40, xpvhv_aux 112, xpvhv 32,
        // xpvhv_with_aux 144, xpvcv 104, xpvio 136, xpvobject 40, reg_substr_datum 40, reg_substr_data 128, regexp_paren_pair 24, regexp 224,
        // reg_data 24, regexp_internal 40, hek 12, he 24, shared_he 40, gp 80, magic 48, padname 56, padnamelist 40, padlist 24, op 40, unop 48,
        // unop_aux 56, svop 48, pvop 48, cop 88, pmop 96, opslot 48, opslab 88, refcounted_he 32, rcpv 24, arena_desc 24, arena_set 4072,
        // stackinfo 56, context 104, mro_meta 72, _PerlIO_funcs 224, _PerlIO 32, PerlIOBuf 80, interpreter 3768
        typedef struct sv SV; typedef struct xpv XPV; typedef struct xpviv XPVIV; typedef struct xpvnv XPVNV;
        typedef struct xpvinvlist XINVLIST; typedef struct xpvmg XPVMG; typedef struct xpvgv XPVGV; typedef struct xpvlv XPVLV;
        typedef struct xpvav XPVAV; typedef struct xpvhv XPVHV; typedef struct xpvcv XPVCV; typedef struct xpvio XPVIO;
        typedef struct xpvobject XPVOBJ; typedef struct regexp_paren_pair regexp_paren_pair; typedef struct regexp_internal regexp_internal;
        typedef struct hek HEK; typedef struct he HE; typedef struct gp GP; typedef struct magic MAGIC; typedef struct padname PADNAME;
        typedef struct padnamelist PADNAMELIST; typedef struct padlist PADLIST; typedef struct op OP; typedef struct unop UNOP;
        typedef struct unop_aux UNOP_AUX; typedef struct svop SVOP; typedef struct pvop PVOP; typedef struct cop COP;
        typedef struct pmop PMOP; typedef struct opslot OPSLOT; typedef struct opslab OPSLAB; typedef struct rcpv RCPV;
        typedef struct stackinfo PERL_SI; typedef struct context PERL_CONTEXT; typedef struct _PerlIO_funcs PerlIO_funcs;
        typedef struct _PerlIO PerlIOl; typedef PerlIOl *PerlIO;
        struct sv {
            void *sv_any; uint32_t sv_refcnt; uint32_t sv_flags;
            union { char *svu_pv; int64_t svu_iv; double svu_nv; SV *svu_rv; SV **svu_array; HE **svu_hash; GP *svu_gp; PerlIO *svu_fp; } sv_u;
        };
        struct xpv {
            uint8_t pad0[16]; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
        };
        struct xpviv {
            uint64_t words[5];
        };
        struct xpvnv {
            uint64_t words[6];
        };
        struct xpvinvlist {
            uint64_t words[7];
        };
        struct xpvmg {
            SV *xmg_stash; union { MAGIC *xmg_magic; } xmg_u; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
            union { int64_t xivu_iv; HEK *xivu_namehek; } xiv_u; union { double xnv_nv; SV *xgv_stash; } xnv_u;
        };
        struct xpvgv {
            uint64_t words[6];
        };
        struct xpvlv {
            uint8_t pad0[64]; SV *xlv_targ; char xlv_type;
        };
        struct xpvav {
            uint8_t pad0[16]; int64_t xav_fill; int64_t xav_max; SV **xav_alloc;
        };
        struct xpvhv_aux {
            union { HEK *xhvnameu_name; HEK **xhvnameu_names; } xhv_name_u; SV *xhv_backreferences; uint8_t pad0[12];
            int32_t xhv_name_count; struct mro_meta *xhv_mro_meta; uint8_t pad1[16]; SV *xhv_class_superclass; SV *xhv_class_initfields_cv;
            SV *xhv_class_adjust_blocks; PADNAMELIST *xhv_class_fields; uint8_t pad2[8]; SV *xhv_class_param_map; uint8_t pad3[8];
        };
        struct xpvhv {
            uint8_t pad0[16]; uint64_t xhv_keys; uint64_t xhv_max;
        };
        struct xpvhv_with_aux {
            uint8_t pad0[32]; struct xpvhv_aux xhv_aux;
        };
        struct xpvcv {
            uint8_t pad0[32]; SV *xcv_stash; union { OP *xcv_start; union { void *any_ptr; } xcv_xsubany; } xcv_start_u;
            union { OP *xcv_root; } xcv_root_u; union { SV *xcv_gv; HEK *xcv_hek; } xcv_gv_u; char *xcv_file;
            union { PADLIST *xcv_padlist; } xcv_padlist_u; SV *xcv_outside; uint8_t pad1[4]; uint32_t xcv_flags; int32_t xcv_depth;
        };
        struct xpvio {
            uint8_t pad0[40]; PerlIO *xio_ofp; uint8_t pad1[32]; char *xio_top_name; SV *xio_top_gv; char *xio_fmt_name; SV *xio_fmt_gv;
            char *xio_bottom_name; SV *xio_bottom_gv; char xio_type; uint8_t xio_flags;
        };
        struct xpvobject {
            uint8_t pad0[16]; int64_t xobject_maxfield; uint8_t pad1[8]; SV **xobject_fields;
        };
        struct reg_substr_datum {
            uint8_t pad0[16]; SV *substr; SV *utf8_substr; uint8_t pad1[8];
        };
        struct reg_substr_data {
            uint8_t pad0[8]; struct reg_substr_datum data[3];
        };
        struct regexp_paren_pair {
            int64_t start; uint8_t pad0[16];
        };
        struct regexp {
            uint8_t pad0[40]; SV *mother_re; SV *paren_names; uint32_t nparens; uint8_t pad1[60]; struct reg_substr_data *substrs;
            void *pprivate; uint8_t pad2[16]; regexp_paren_pair *offs; uint8_t pad3[16]; char *subbeg; SV *saved_copy; int64_t sublen;
            uint8_t pad4[16]; SV *qr_anoncv;
        };
        struct reg_data {
            uint32_t count; uint8_t pad0[4]; uint8_t *what; void *data[1];
        };
        struct regexp_internal {
            uint8_t pad0[8]; struct reg_data *data; uint8_t pad1[8]; uint32_t proglen; uint8_t pad2[4]; uint32_t program[1];
        };
        struct hek {
            uint32_t hek_hash; int32_t hek_len; char hek_key[1];
        };
        struct he {
            HE *hent_next; HEK *hent_hek; union { SV *hent_val; uint64_t hent_refcount; } he_valu;
        };
        struct shared_he {
            struct he shared_he_he; struct hek shared_he_hek;
        };
        struct gp {
            SV *gp_sv; SV *gp_io; SV *gp_cv; uint8_t pad0[4]; uint32_t gp_refcnt; SV *gp_hv; SV *gp_av; SV *gp_form; SV *gp_egv;
            uint8_t pad1[8]; HEK *gp_file_hek;
        };
        struct magic {
            MAGIC *mg_moremagic; uint8_t pad0[10]; char mg_type; uint8_t mg_flags; uint8_t pad1[4]; int64_t mg_len; SV *mg_obj;
            char *mg_ptr;
        };
        struct padname {
            char *xpadn_pv; uint8_t pad0[8]; union { SV *xpadn_protocv; } xpadn_type_u; uint8_t pad1[16]; uint32_t xpadn_refcnt;
            uint8_t pad2[4]; uint8_t xpadn_len; uint8_t xpadn_flags;
        };
        struct padnamelist {
            int64_t xpadnl_fill; PADNAME **xpadnl_alloc; int64_t xpadnl_max; uint8_t pad0[16];
        };
        struct padlist {
            int64_t xpadl_max; union { SV **xpadlarr_alloc; } xpadl_arr; uint8_t pad0[8];
        };
        struct op {
            OP *op_next; OP *op_sibparent; uint8_t pad0[8]; uint64_t op_targ; uint16_t op_type : 9; uint16_t : 1; uint16_t op_slabbed : 1;
            uint16_t : 3; uint16_t op_moresib : 1; uint16_t : 1; uint8_t op_flags; uint8_t op_private;
        };
        struct unop {
            uint8_t pad0[40]; OP *op_first;
        };
        struct unop_aux {
            uint8_t pad0[48]; void *op_aux;
        };
        struct svop {
            uint8_t pad0[40]; SV *op_sv;
        };
        struct pvop {
            uint8_t pad0[40]; char *op_pv;
        };
        struct cop {
            uint8_t pad0[36]; uint32_t cop_line; uint8_t pad1[8]; char *cop_file; uint8_t pad2[8]; void *cop_warnings;
            struct refcounted_he *cop_hints_hash; uint8_t pad3[8];
        };
        struct pmop {
            uint8_t pad0[64]; uint32_t op_pmflags; uint8_t pad1[4]; union { OP *op_pmreplroot; } op_pmreplrootu; uint8_t pad2[8];
            OP *op_code_list;
        };
        struct opslot {
            uint16_t opslot_size; uint16_t opslot_offset; uint8_t pad0[4]; struct op opslot_op;
        };
        struct opslab {
            struct opslab *opslab_next; struct opslab *opslab_head; void *opslab_freed; uint8_t pad0[8]; uint16_t opslab_freed_size;
            uint16_t opslab_size; uint8_t pad1[4]; struct opslot opslab_slots;
        };
        struct refcounted_he {
            struct refcounted_he *refcounted_he_next; uint8_t pad0[4]; uint32_t refcounted_he_keylen;
            union { uint64_t refcounted_he_u_len; } refcounted_he_val; uint8_t pad1[4]; char refcounted_he_data[1];
        };
        struct rcpv {
            uint64_t refcount; uint64_t len; char pv[1];
        };
        struct arena_desc {
            char *arena; uint64_t size; uint8_t pad0[8];
        };
        struct arena_set {
            struct arena_set *next; uint32_t set_size; uint32_t curr; struct arena_desc set[169];
        };
        struct stackinfo {
            SV *si_stack; void *si_cxstack; PERL_SI *si_prev; PERL_SI *si_next; int32_t si_cxix; int32_t si_cxmax; uint8_t pad0[16];
        };
        struct context {
            uint64_t words[13];
        };
        struct mro_meta {
            SV *mro_linear_all; SV *mro_linear_current; SV *mro_nextmethod; uint8_t pad0[16]; SV *isa; SV *super; SV *destroy;
            uint8_t pad1[8];
        };
        struct _PerlIO_funcs {
            uint8_t pad0[8]; const char *name; uint64_t size; uint32_t kind; uint8_t pad1[196];
        };
        struct _PerlIO {
            PerlIOl *next; PerlIO_funcs *tab; uint32_t flags; uint8_t pad0[12];
        };
        typedef struct {
            uint8_t pad0[32]; char *buf; uint8_t pad1[24]; uint64_t bufsiz; uint8_t pad2[8];
        } PerlIOBuf;
        struct interpreter {
            SV **Istack_sp; uint8_t pad0[16]; SV **Istack_base; uint8_t pad1[8]; void *Isavestack; int32_t Isavestack_ix;
            int32_t Isavestack_max; int32_t *Iscopestack; uint8_t pad2[4]; int32_t Iscopestack_max; SV **Itmps_stack; int64_t Itmps_ix;
            uint8_t pad3[8]; int64_t Itmps_max; int32_t *Imarkstack; uint8_t pad4[8]; int32_t *Imarkstack_max; uint8_t pad5[16];
            SV *Istrtab; uint8_t pad6[32]; SV *Idefgv; SV *Idefstash; uint8_t pad7[8]; COP *Icurcop; SV *Icurstack; PERL_SI *Icurstackinfo;
            SV *Imainstack; int64_t Isv_count; SV *Isv_root; SV *Isv_arenaroot; uint8_t pad8[32]; SV Isv_yes; SV Isv_undef; SV Isv_no;
            uint8_t pad9[152]; SV *Istashcache; uint8_t pad10[696]; SV *Iincgv; uint8_t pad11[184]; SV *Ierrgv; uint8_t pad12[112];
            SV *Iendav; uint8_t pad13[40]; SV *Imain_cv; OP *Imain_root; uint8_t pad14[8]; OP *Ieval_root; uint8_t pad15[88];
            SV *Imodglobal; uint8_t pad16[584]; SV **Ipsig_ptr; uint8_t pad17[24]; void *Ibody_arenas; uint8_t pad18[8]; SV *Iregex_padav;
            SV **Istashpad; uint64_t Istashpadmax; uint8_t pad19[32]; PerlIOl *Iperlio; uint8_t pad20[88]; SV *Iisarev; uint8_t pad21[120];
            void **Imy_cxt_list; int32_t Imy_cxt_size; uint8_t pad22[1132];
        };
    }
    "5.32-threaded" {
        // sizes: sv 24, xpv 32, xpviv 40, xpvnv 48, xpvinvlist 56, xpvmg 48, xpvgv 48, xpvlv 80, xpvav 40, xpvhv_aux 56, xpvhv 32, xpvcv 104,
        // xpvio 136, reg_substr_datum 40, reg_substr_data 128, regexp_paren_pair 24, regexp 192, reg_data 24, regexp_internal 40, hek 12, he 24,
        // shared_he 40, gp 80, magic 48, padname 48, padnamelist 40, padlist 24, op 40, unop 48, unop_aux 56, svop 48, pvop 48, cop 88, pmop 96,
        // opslot 48, opslab 88, refcounted_he 32, arena_desc 24, arena_set 4072, stackinfo 56, context 104, mro_meta 72, _PerlIO_funcs 224,
        // _PerlIO 32, PerlIOBuf 80, interpreter 3792
        typedef struct sv SV; typedef struct xpv XPV; typedef struct xpviv XPVIV; typedef struct xpvnv XPVNV;
        typedef struct xpvinvlist XINVLIST; typedef struct xpvmg XPVMG; typedef struct xpvgv XPVGV; typedef struct xpvlv XPVLV;
        typedef struct xpvav XPVAV; typedef struct xpvhv XPVHV; typedef struct xpvcv XPVCV; typedef struct xpvio XPVIO;
        typedef struct regexp_paren_pair regexp_paren_pair; typedef struct regexp_internal regexp_internal; typedef struct hek HEK;
        typedef struct he HE; typedef struct gp GP; typedef struct magic MAGIC; typedef struct padname PADNAME;
        typedef struct padnamelist PADNAMELIST; typedef struct padlist PADLIST; typedef struct op OP; typedef struct unop UNOP;
        typedef struct unop_aux UNOP_AUX; typedef struct svop SVOP; typedef struct pvop PVOP; typedef struct cop COP;
        typedef struct pmop PMOP; typedef struct opslot OPSLOT; typedef struct opslab OPSLAB; typedef struct stackinfo PERL_SI;
        typedef struct context PERL_CONTEXT; typedef struct _PerlIO_funcs PerlIO_funcs; typedef struct _PerlIO PerlIOl;
        typedef PerlIOl *PerlIO;
        struct sv {
            void *sv_any; uint32_t sv_refcnt; uint32_t sv_flags;
            union { char *svu_pv; int64_t svu_iv; double svu_nv; SV *svu_rv; SV **svu_array; HE **svu_hash; GP *svu_gp; PerlIO *svu_fp; } sv_u;
        };
        struct xpv {
            uint8_t pad0[16]; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
        };
        struct xpviv {
            uint64_t words[5];
        };
        struct xpvnv {
            uint64_t words[6];
        };
        struct xpvinvlist {
            uint64_t words[7];
        };
        struct xpvmg {
            SV *xmg_stash; union { MAGIC *xmg_magic; } xmg_u; uint64_t xpv_cur; union { uint64_t xpvlenu_len; } xpv_len_u;
            union { int64_t xivu_iv; HEK *xivu_namehek; } xiv_u; union { double xnv_nv; SV *xgv_stash; } xnv_u;
        };
        struct xpvgv {
            uint64_t words[6];
        };
        struct xpvlv {
            uint8_t pad0[64]; SV *xlv_targ; char xlv_type;
        };
        struct xpvav {
            uint8_t pad0[16]; int64_t xav_fill; int64_t xav_max; SV **xav_alloc;
        };
        struct xpvhv_aux {
            union { HEK *xhvnameu_name; HEK **xhvnameu_names; } xhv_name_u; SV *xhv_backreferences; uint8_t pad0[12];
            int32_t xhv_name_count; struct mro_meta *xhv_mro_meta; uint8_t pad1[16];
        };
        struct xpvhv {
            uint8_t pad0[16]; uint64_t xhv_keys; uint64_t xhv_max;
        };
        struct xpvcv {
            uint8_t pad0[32]; SV *xcv_stash; union { OP *xcv_start; union { void *any_ptr; } xcv_xsubany; } xcv_start_u;
            union { OP *xcv_root; } xcv_root_u; union { SV *xcv_gv; HEK *xcv_hek; } xcv_gv_u; char *xcv_file;
            union { PADLIST *xcv_padlist; } xcv_padlist_u; SV *xcv_outside; uint8_t pad1[4]; uint32_t xcv_flags; int32_t xcv_depth;
        };
        struct xpvio {
            uint8_t pad0[40]; PerlIO *xio_ofp; uint8_t pad1[32]; char *xio_top_name; SV *xio_top_gv; char *xio_fmt_name; SV *xio_fmt_gv;
            char *xio_bottom_name; SV *xio_bottom_gv; char xio_type; uint8_t xio_flags;
        };
        struct reg_substr_datum {
            uint8_t pad0[16]; SV *substr; SV *utf8_substr; uint8_t pad1[8];
        };
        struct reg_substr_data {
            uint8_t pad0[8]; struct reg_substr_datum data[3];
        };
        struct regexp_paren_pair {
            int64_t start; uint8_t pad0[16];
        };
        struct regexp {
            uint8_t pad0[40]; SV *mother_re; SV *paren_names; uint8_t pad1[4]; uint32_t nparens; uint8_t pad2[24];
            struct reg_substr_data *substrs; void *pprivate; uint8_t pad3[8]; regexp_paren_pair *offs; uint8_t pad4[16]; char *subbeg;
            SV *saved_copy; int64_t sublen; uint8_t pad5[24]; SV *qr_anoncv;
        };
        struct reg_data {
            uint32_t count; uint8_t pad0[4]; uint8_t *what; void *data[1];
        };
        struct regexp_internal {
            union { uint32_t proglen; uint64_t word; } u; uint8_t pad0[8]; struct reg_data *data; uint8_t pad1[12]; uint32_t program[1];
        };
        struct hek {
            uint32_t hek_hash; int32_t hek_len; char hek_key[1];
        };
        struct he {
            HE *hent_next; HEK *hent_hek; union { SV *hent_val; uint64_t hent_refcount; } he_valu;
        };
        struct shared_he {
            struct he shared_he_he; struct hek shared_he_hek;
        };
        struct gp {
            SV *gp_sv; SV *gp_io; SV *gp_cv; uint8_t pad0[4]; uint32_t gp_refcnt; SV *gp_hv; SV *gp_av; SV *gp_form; SV *gp_egv;
            uint8_t pad1[8]; HEK *gp_file_hek;
        };
        struct magic {
            MAGIC *mg_moremagic; uint8_t pad0[10]; char mg_type; uint8_t mg_flags; uint8_t pad1[4]; int64_t mg_len; SV *mg_obj;
            char *mg_ptr;
        };
        struct padname {
            char *xpadn_pv; uint8_t pad0[8]; union { SV *xpadn_protocv; } xpadn_type_u; uint8_t pad1[8]; uint32_t xpadn_refcnt;
            uint8_t pad2[4]; uint8_t xpadn_len; uint8_t xpadn_flags;
        };
        struct padnamelist {
            int64_t xpadnl_fill; PADNAME **xpadnl_alloc; int64_t xpadnl_max; uint8_t pad0[16];
        };
        struct padlist {
            int64_t xpadl_max; union { SV **xpadlarr_alloc; } xpadl_arr; uint8_t pad0[8];
        };
        struct op {
            OP *op_next; OP *op_sibparent; uint8_t pad0[8]; uint64_t op_targ; uint16_t op_type : 9; uint16_t : 1; uint16_t op_slabbed : 1;
            uint16_t : 3; uint16_t op_moresib : 1; uint16_t : 1; uint8_t op_flags; uint8_t op_private;
        };
        struct unop {
            uint8_t pad0[40]; OP *op_first;
        };
        struct unop_aux {
            uint8_t pad0[48]; void *op_aux;
        };
        struct svop {
            uint8_t pad0[40]; SV *op_sv;
        };
        struct pvop {
            uint8_t pad0[40]; char *op_pv;
        };
        struct cop {
            uint8_t pad0[36]; uint32_t cop_line; uint8_t pad1[8]; char *cop_file; uint8_t pad2[8]; void *cop_warnings;
            struct refcounted_he *cop_hints_hash; uint8_t pad3[8];
        };
        struct pmop {
            uint8_t pad0[64]; uint32_t op_pmflags; uint8_t pad1[4]; union { OP *op_pmreplroot; } op_pmreplrootu; uint8_t pad2[8];
            OP *op_code_list;
        };
        struct opslot {
            uint16_t opslot_size; uint16_t opslot_offset; uint8_t pad0[4]; struct op opslot_op;
        };
        struct opslab {
            struct opslab *opslab_next; struct opslab *opslab_head; void *opslab_freed; uint8_t pad0[8]; uint16_t opslab_freed_size;
            uint16_t opslab_size; uint8_t pad1[2]; uint16_t opslab_padding; struct opslot opslab_slots;
        };
        struct refcounted_he {
            struct refcounted_he *refcounted_he_next; uint8_t pad0[4]; uint32_t refcounted_he_keylen;
            union { uint64_t refcounted_he_u_len; } refcounted_he_val; uint8_t pad1[4]; char refcounted_he_data[1];
        };
        struct arena_desc {
            char *arena; uint64_t size; uint8_t pad0[8];
        };
        struct arena_set {
            struct arena_set *next; uint32_t set_size; uint32_t curr; struct arena_desc set[169];
        };
        struct stackinfo {
            SV *si_stack; void *si_cxstack; PERL_SI *si_prev; PERL_SI *si_next; int32_t si_cxix; int32_t si_cxmax; uint8_t pad0[16];
        };
        struct context {
            uint64_t words[13];
        };
        struct mro_meta {
            SV *mro_linear_all; SV *mro_linear_current; SV *mro_nextmethod; uint8_t pad0[16]; SV *isa; SV *super; SV *destroy;
            uint8_t pad1[8];
        };
        struct _PerlIO_funcs {
            uint8_t pad0[8]; const char *name; uint64_t size; uint32_t kind; uint8_t pad1[196];
        };
        struct _PerlIO {
            PerlIOl *next; PerlIO_funcs *tab; uint32_t flags; uint8_t pad0[12];
        };
        typedef struct {
            uint8_t pad0[32]; char *buf; uint8_t pad1[24]; uint64_t bufsiz; uint8_t pad2[8];
        } PerlIOBuf;
        struct interpreter {
            SV **Istack_sp; uint8_t pad0[16]; SV **Istack_base; uint8_t pad1[8]; void *Isavestack; int32_t Isavestack_ix;
            int32_t Isavestack_max; int32_t *Iscopestack; uint8_t pad2[4]; int32_t Iscopestack_max; SV **Itmps_stack; int64_t Itmps_ix;
            uint8_t pad3[8]; int64_t Itmps_max; uint8_t pad4[8]; int32_t *Imarkstack; uint8_t pad5[8]; int32_t *Imarkstack_max;
            uint8_t pad6[16]; SV *Istrtab; uint8_t pad7[32]; SV *Idefgv; uint8_t pad8[8]; SV *Idefstash; uint8_t pad9[8]; COP *Icurcop;
            SV *Icurstack; PERL_SI *Icurstackinfo; SV *Imainstack; int64_t Isv_count; SV *Isv_root; SV *Isv_arenaroot; uint8_t pad10[32];
            SV Isv_yes; SV Isv_undef; SV Isv_no; uint8_t pad11[136]; SV *Istashcache; uint8_t pad12[944]; SV *Iincgv; uint8_t pad13[168];
            SV *Ierrgv; uint8_t pad14[112]; SV *Iendav; uint8_t pad15[40]; SV *Imain_cv; OP *Imain_root; uint8_t pad16[8]; OP *Ieval_root;
            uint8_t pad17[88]; SV *Imodglobal; uint8_t pad18[640]; SV **Ipsig_ptr; uint8_t pad19[24]; void *Ibody_arenas; uint8_t pad20[8];
            SV *Iregex_padav; SV **Istashpad; uint64_t Istashpadmax; uint8_t pad21[32]; PerlIOl *Iperlio; uint8_t pad22[88]; SV *Iisarev;
            uint8_t pad23[120]; void **Imy_cxt_list; int32_t Imy_cxt_size; uint8_t pad24[868];
        };
    }
} _valid perl_valid;

// Where perl_valid is.
#include <perl/vm.y>

#endif
