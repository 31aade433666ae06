/// Perl's own macros, so that code pasted from its sources runs: values and their flags, arrays, hashes and their keys, globs, subs and pads, ops.
/// What writes or allocates is left out: the target is only read. Every value is a `SV *` here; its body is what `SvANY` points to.
/// They need the target's types: from debug information, or from <perl/layouts.y>.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_C_Y
#define PERL_C_Y

// Types of values (sv.h). Since 5.38 there are objects of the class feature behind them.
#define PERL_NULL 0
#define PERL_IV 1
#define PERL_NV 2
#define PERL_PV 3
#define PERL_INVLIST 4
#define PERL_PVIV 5
#define PERL_PVNV 6
#define PERL_PVMG 7
#define PERL_REGEXP 8
#define PERL_PVGV 9
#define PERL_PVLV 10
#define PERL_PVAV 11
#define PERL_PVHV 12
#define PERL_PVCV 13
#define PERL_PVFM 14
#define PERL_PVIO 15
#define PERL_PVOBJ 16
##ifdeftype struct xpvobject
#define PERL_TYPES 17
##else
#define PERL_TYPES 16
##endif

// Flags of values.
#define SVTYPEMASK 0xff
#define SVf_IOK 0x00000100
#define SVf_NOK 0x00000200
#define SVf_POK 0x00000400
#define SVf_ROK 0x00000800
#define SVp_IOK 0x00001000
#define SVp_NOK 0x00002000
#define SVp_POK 0x00004000
#define SVp_SCREAM 0x00008000
#define SVpgv_GP SVp_SCREAM
#define SVf_PROTECT 0x00010000
#define SVs_PADTMP 0x00020000
#define SVs_PADSTALE 0x00040000
#define SVs_TEMP 0x00080000
#define SVs_OBJECT 0x00100000
#define SVs_GMG 0x00200000
#define SVs_SMG 0x00400000
#define SVs_RMG 0x00800000
#define SVf_FAKE 0x01000000
#define SVf_OOK 0x02000000
#define SVf_BREAK 0x04000000
#define SVf_READONLY 0x08000000
#define SVf_IsCOW 0x10000000
#define SVf_UTF8 0x20000000
#define SVphv_SHAREKEYS 0x20000000
#define SVppv_STATIC 0x40000000
#define SVpav_REAL 0x40000000
#define SVpav_REIFY 0x80000000u
#define SVprv_WEAKREF 0x80000000u

// Any value.
#define SvANY(sv) ((sv)->sv_any)
#define SvFLAGS(sv) ((sv)->sv_flags)
#define SvREFCNT(sv) ((sv)->sv_refcnt)
#define SvTYPE(sv) (SvFLAGS(sv) & SVTYPEMASK)
#define SvIS_FREED(sv) (SvFLAGS(sv) == SVTYPEMASK)
#define SvROK(sv) (SvFLAGS(sv) & SVf_ROK)
#define SvWEAKREF(sv) ((SvFLAGS(sv) & (SVf_ROK | SVprv_WEAKREF)) == (SVf_ROK | SVprv_WEAKREF))
#define SvOBJECT(sv) (SvFLAGS(sv) & SVs_OBJECT)
#define SvMAGICAL(sv) (SvFLAGS(sv) & (SVs_GMG | SVs_SMG | SVs_RMG))
#define SvIsCOW(sv) (SvFLAGS(sv) & SVf_IsCOW)
#define SvRV(sv) ((SV *)(sv)->sv_u.svu_rv)
#define SvSTASH(sv) ((SV *)((XPVMG *)SvANY(sv))->xmg_stash)
#define SvMAGIC(sv) (((XPVMG *)SvANY(sv))->xmg_u.xmg_magic)
#define SvPVX(sv) ((sv)->sv_u.svu_pv)
#define SvPVX_const(sv) ((const char *)(sv)->sv_u.svu_pv)
#define SvCUR(sv) (((XPV *)SvANY(sv))->xpv_cur)
#define SvLEN(sv) (((XPV *)SvANY(sv))->xpv_len_u.xpvlenu_len)
#define SvIVX(sv) ((sv)->sv_u.svu_iv)
#define SvSHARED_HEK_FROM_PV(pvx) ((HEK *)((pvx) - offsetof(struct hek, hek_key)))

// Arrays.
#define AvARRAY(av) ((av)->sv_u.svu_array)
#define AvALLOC(av) (((XPVAV *)SvANY(av))->xav_alloc)
#define AvMAX(av) (((XPVAV *)SvANY(av))->xav_max)
#define AvFILLp(av) (((XPVAV *)SvANY(av))->xav_fill)
#define AvREAL(av) (SvFLAGS(av) & SVpav_REAL)

// Hashes. Their extra part lies behind the body since 5.36, before that behind the buckets.
#define HvARRAY(hv) ((hv)->sv_u.svu_hash)
#define HvMAX(hv) (((XPVHV *)SvANY(hv))->xhv_max)
#define HvTOTALKEYS(hv) (((XPVHV *)SvANY(hv))->xhv_keys)
#define HvSHAREKEYS(hv) (SvFLAGS(hv) & SVphv_SHAREKEYS)
#define HvHasAUX(hv) (SvFLAGS(hv) & SVf_OOK)
##ifdeftype struct xpvhv_with_aux
#define HvAUX(hv) (&((struct xpvhv_with_aux *)SvANY(hv))->xhv_aux)
#define PERL_AUX_IN_BODY 1
##else
#define HvAUX(hv) ((struct xpvhv_aux *)&HvARRAY(hv)[HvMAX(hv) + 1])
#define PERL_AUX_IN_BODY 0
##endif
#define HEf_SVKEY -2
#define HeNEXT(he) ((he)->hent_next)
#define HeKEY_hek(he) ((he)->hent_hek)
#define HeVAL(he) ((SV *)(he)->he_valu.hent_val)
#define HEK_LEN(hek) ((hek)->hek_len)
#define HEK_KEY(hek) ((const char *)(hek)->hek_key)
#define HEK_BASESIZE offsetof(struct hek, hek_key)
/// Bytes of a key, with the NUL and the byte of flags behind it.
#define perl_hek_size(len) (HEK_BASESIZE + (uint64_t)(len) + 2)
/// Bytes of a shared key: `struct shared_he`, cut to the key.
#define perl_shared_hek_size(len) (offsetof(struct shared_he, shared_he_hek) + perl_hek_size(len))

// Globs.
#define isGV_with_GP_flags(flags) \
    (((flags) & (SVp_POK | SVpgv_GP)) == SVpgv_GP && (((flags) & SVTYPEMASK) == PERL_PVGV || ((flags) & SVTYPEMASK) == PERL_PVLV))
#define isGV_with_GP(sv) isGV_with_GP_flags(SvFLAGS(sv))
#define GvGP(gv) ((gv)->sv_u.svu_gp)
#define GvNAME_HEK(gv) (((XPVMG *)SvANY(gv))->xiv_u.xivu_namehek)
#define GvSTASH(gv) ((SV *)((XPVMG *)SvANY(gv))->xnv_u.xgv_stash)

// Subs and pads.
#define CVf_CONST 0x0004
#define CVf_ISXSUB 0x0008
#define CVf_WEAKOUTSIDE 0x0010
#define CVf_CLONE 0x0020
#define CVf_CLONED 0x0040
#define CVf_ANON 0x0080
#define CVf_CVGV_RC 0x0400
#define CVf_SLABBED 0x0800
#define CVf_DYNFILE 0x1000
#define CVf_NAMED 0x8000
#define CVf_REFCOUNTED_ANYSV 0x80000
#define CvBODY(cv) ((XPVCV *)SvANY(cv))
#define CvFLAGS(cv) (CvBODY(cv)->xcv_flags)
#define CvROOT(cv) (CvBODY(cv)->xcv_root_u.xcv_root)
#define CvSTART(cv) (CvBODY(cv)->xcv_start_u.xcv_start)
#define CvXSUBANY_ptr(cv) (CvBODY(cv)->xcv_start_u.xcv_xsubany.any_ptr)
#define CvPADLIST(cv) (CvBODY(cv)->xcv_padlist_u.xcv_padlist)
#define CvOUTSIDE(cv) ((SV *)CvBODY(cv)->xcv_outside)
#define CvFILE(cv) (CvBODY(cv)->xcv_file)
#define PadlistARRAY(pl) ((SV **)(pl)->xpadl_arr.xpadlarr_alloc)
#define PadlistMAX(pl) ((pl)->xpadl_max)
#define PadlistNAMES(pl) (*(PADNAMELIST **)PadlistARRAY(pl))
#define PadnamelistARRAY(pnl) ((pnl)->xpadnl_alloc)
#define PadnamelistMAX(pnl) ((pnl)->xpadnl_fill)
#define PadnamePV(pn) ((pn)->xpadn_pv)
#define PadnameLEN(pn) ((pn)->xpadn_len)
#define PadnameOUTER(pn) ((pn)->xpadn_flags & 1)

// Magic.
#define MGf_REFCOUNTED 2
#define PERL_MAGIC_backref '<'
#define PERL_MAGIC_utf8 'w'
#define PERL_MAGIC_fm 'f'
#define PERL_MAGIC_UTF8_CACHESIZE 2

// Ops and the slabs that they lie in (op.h).
#define OPf_KIDS 4
#define OPf_STACKED 64
#define OPf_SPECIAL 128
#define OpSLOT(o) ((OPSLOT *)((char *)(o) - offsetof(struct opslot, opslot_op)))
##ifdeffield struct opslab opslab_padding
// Up to 5.34, the offset is from the start of the slab.
#define OpMySLAB(o) ((OPSLAB *)((char *)OpSLOT(o) - 8ul * OpSLOT(o)->opslot_offset))
##else
#define OpMySLAB(o) ((OPSLAB *)((char *)OpSLOT(o) - 8ul * OpSLOT(o)->opslot_offset - offsetof(struct opslab, opslab_slots)))
##endif
#define OA_CLASS_MASK (15u << 8)
#define OA_PMOP (5u << 8)
#define OA_COP (10u << 8)
#define OA_LOOPEXOP (13u << 8)
#define OA_UNOP_AUX (15u << 8)
##ifdefvar PL_opargs
#define PL_opargs_of(type) (((const uint32_t *)&PL_opargs)[type])
##else
// No Perl is here.
#define PL_opargs_of(type) 0u
##endif
##ifdeftype struct rcpv
#define RCPVx(pv) ((RCPV *)((pv) - offsetof(struct rcpv, pv)))
##endif

// Streams (perliol.h).
#define PERLIO_TABLE_SIZE 64
#define PERLIO_K_BUFFERED 2

#endif
