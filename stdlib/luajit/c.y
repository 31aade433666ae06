/// LuaJIT's own macros, so that code pasted from its sources runs: references, tags and values, strings, tables, functions, C data, frames.
/// What writes or allocates is left out: the target is only read.
/// They follow the widths of the target's references (`LJ_GC64`) and need its types: from debug information, or from
/// <luajit/layouts.y>.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_C_Y
#define LUAJIT_C_Y

##ifdeffield GCRef gcptr64
#define LJ_GC64 1
#define LJ_FR2 1
##else
#define LJ_GC64 0
#define LJ_FR2 0
##endif

// References.
#if LJ_GC64
#define mrefu(r) ((r).ptr64)
#define gcrefu(r) ((r).gcptr64)
#else
#define mrefu(r) ((r).ptr32)
#define gcrefu(r) ((r).gcptr32)
#endif
#define mref(r, t) ((t *)(uintptr_t)mrefu(r))
#define gcref(r) ((GCobj *)(uintptr_t)gcrefu(r))
#define gcrefp(r, t) ((t *)(uintptr_t)gcrefu(r))
#define gcnext(gc) (gcref((gc)->gch.nextgc))
#define gcrefeq(r1, r2) (gcrefu(r1) == gcrefu(r2))
#define obj2gco(v) ((GCobj *)(v))
#define tvref(r) (mref(r, TValue))
#define check_exp(c, e) (e)
#define LJ_AINLINE inline
#define LJ_DUALNUM 0
#define LJ_LIKELY(x) (x)
#define LJ_UNLIKELY(x) (x)
#define UNUSED(x) ((void)(x))
#define U64x(hi, lo) (((uint64_t)0x##hi << 32) + (uint64_t)0x##lo)

// Tags. A TValue is passed by address, as in LuaJIT.
#define LJ_TNIL (~0u)
#define LJ_TFALSE (~1u)
#define LJ_TTRUE (~2u)
#define LJ_TLIGHTUD (~3u)
#define LJ_TSTR (~4u)
#define LJ_TUPVAL (~5u)
#define LJ_TTHREAD (~6u)
#define LJ_TPROTO (~7u)
#define LJ_TFUNC (~8u)
#define LJ_TTRACE (~9u)
#define LJ_TCDATA (~10u)
#define LJ_TTAB (~11u)
#define LJ_TUDATA (~12u)
#define LJ_TNUMX (~13u)
#define LJ_TISTRUECOND LJ_TFALSE
#define LJ_TISPRI LJ_TTRUE
#define LJ_TISGCV (LJ_TSTR + 1)
#define LJ_TISTABUD LJ_TTAB
#if LJ_GC64
#define LJ_TISNUM LJ_TNUMX
#define LJ_GCVMASK ((1ul << 47) - 1)
#define itype(o) ((uint32_t)((o)->it64 >> 47))
#define tvislightud(o) (itype(o) == LJ_TLIGHTUD)
#define gcval(o) ((GCobj *)(gcrefu((o)->gcr) & LJ_GCVMASK))
#else
#define LJ_TISNUM 0xfffeffffu
#define itype(o) ((o)->it)
#define tvislightud(o) (((int32_t)itype(o) >> 15) == -2)
#define gcval(o) (gcref((o)->gcr))
#endif
#define tvisnil(o) (itype(o) == LJ_TNIL)
#define tvisfalse(o) (itype(o) == LJ_TFALSE)
#define tvistrue(o) (itype(o) == LJ_TTRUE)
#define tvisbool(o) (tvisfalse(o) || tvistrue(o))
#define tvisstr(o) (itype(o) == LJ_TSTR)
#define tvisfunc(o) (itype(o) == LJ_TFUNC)
#define tvisthread(o) (itype(o) == LJ_TTHREAD)
#define tvisproto(o) (itype(o) == LJ_TPROTO)
#define tviscdata(o) (itype(o) == LJ_TCDATA)
#define tvistab(o) (itype(o) == LJ_TTAB)
#define tvisudata(o) (itype(o) == LJ_TUDATA)
#define tvisnumber(o) (itype(o) <= LJ_TISNUM)
#define tvisnum(o) (itype(o) < LJ_TISNUM)
#define tvisint(o) (0)
#define tvistruecond(o) (itype(o) < LJ_TISTRUECOND)
#define tvispri(o) (itype(o) >= LJ_TISPRI)
#define tvistabud(o) (itype(o) <= LJ_TISTABUD)
#define tvisnan(o) ((o)->n != (o)->n)
#define tviszero(o) (((o)->u64 << 1) == 0)
#define itypemap(o) (tvisnumber(o) ? ~LJ_TNUMX : tvislightud(o) ? ~LJ_TLIGHTUD : ~itype(o))
#define lj_typename(o) (lj_obj_itypename[itypemap(o)])
#define tvisgcv(o) ((uint32_t)(itype(o) + 13u) <= 8u)
#define gcV(o) (gcval(o))
#define strV(o) (&gcval(o)->str)
#define funcV(o) (&gcval(o)->fn)
#define threadV(o) (&gcval(o)->th)
#define cdataV(o) (&gcval(o)->cd)
#define tabV(o) (&gcval(o)->tab)
#define udataV(o) (&gcval(o)->ud)
#define protoV(o) (&gcval(o)->pt)
#define numV(o) ((o)->n)
#define intV(o) ((int32_t)(o)->i)
#define boolV(o) (LJ_TFALSE - itype(o))

// Objects by their kind, which is the complement of the tag.
#define gco2str(o) (&(o)->str)
#define gco2uv(o) (&(o)->uv)
#define gco2th(o) (&(o)->th)
#define gco2pt(o) (&(o)->pt)
#define gco2func(o) (&(o)->fn)
#define gco2cd(o) (&(o)->cd)
#define gco2tab(o) (&(o)->tab)
#define gco2ud(o) (&(o)->ud)

// The same on a TValue that has been loaded as one 64-bit word: one load instead of several.
#if LJ_GC64
#define lj_word_tag(w) ((uint32_t)((int64_t)(w) >> 47))
#define lj_word_gc(w) ((GCobj *)((w) & LJ_GCVMASK))
#else
#define lj_word_tag(w) ((uint32_t)((w) >> 32))
#define lj_word_gc(w) ((GCobj *)((w) & 0xfffffffful))
#endif
/// Whether a tag is that of a collectable object.
#define lj_tag_isgc(tag) ((uint32_t)((tag) + 13u) <= 8u)

// Strings.
#define strref(r) (&gcref((r))->str)
#define strdata(s) ((const char *)((s) + 1))
#define strVdata(o) strdata(strV(o))
// The payload is padded to words of four bytes since the string table was redesigned (June 2020).
##ifdeffield global_State str
#define lj_str_size(len) (sizeof(GCstr) + (((uint64_t)(len) + 4) & ~3ul))
#define lj_strtab(g) ((g)->str.tab)
#define lj_strmask(g) ((g)->str.mask)
#define lj_strnum(g) ((g)->str.num)
##else
#define lj_str_size(len) (sizeof(GCstr) + (uint64_t)(len) + 1)
#define lj_strtab(g) ((g)->strhash)
#define lj_strmask(g) ((g)->strmask)
#define lj_strnum(g) ((g)->strnum)
##endif

// Userdata and C data.
#define uddata(u) ((void *)((u) + 1))
#define sizeudata(u) (sizeof(GCudata) + (u)->len)
#define cdataptr(cd) ((void *)((cd) + 1))
#define cdataisv(cd) ((cd)->marked & 0x80)
#define cdatav(cd) ((GCcdataVar *)((char *)(cd) - sizeof(GCcdataVar)))
#define sizecdatav(cd) ((uint64_t)cdatav(cd)->len + cdatav(cd)->extra)
#define memcdatav(cd) ((void *)((char *)(cd) - cdatav(cd)->offset))

// Prototypes, functions, upvalues, bytecode.
#define proto_knumtv(pt, idx) (&mref((pt)->k, TValue)[(idx)])
#define proto_bc(pt) ((BCIns *)((char *)(pt) + sizeof(GCproto)))
#define proto_bcpos(pt, pc) ((BCPos)((pc) - proto_bc(pt)))
#define proto_lineinfo(pt) (mref((pt)->lineinfo, const void))
#define proto_varinfo(pt) (mref((pt)->varinfo, const uint8_t))
#define PROTO_CHILD 0x01
#define PROTO_VARARG 0x02
#define PROTO_FFI 0x04
#define PROTO_NOJIT 0x08
#define PROTO_ILOOP 0x10
#define PROTO_UV_LOCAL 0x8000
#define PROTO_UV_IMMUTABLE 0x4000
#define bc_op(i) ((BCOp)((i) & 0xff))
#define bc_a(i) ((BCReg)(((i) >> 8) & 0xff))
#define bc_b(i) ((BCReg)((i) >> 24))
#define bc_c(i) ((BCReg)(((i) >> 16) & 0xff))
#define bc_d(i) ((BCReg)((i) >> 16))
#define proto_kgc(pt, idx) (gcref(mref((pt)->k, GCRef)[(idx)]))
#define proto_chunkname(pt) (strref((pt)->chunkname))
#define proto_chunknamestr(pt) (strdata(proto_chunkname((pt))))
#define proto_uvinfo(pt) (mref((pt)->uvinfo, const uint8_t))
#define proto_uv(pt) (mref((pt)->uv, uint16_t))
#define uvprev(uv_) (&gcref((uv_)->prev)->uv)
#define uvnext(uv_) (&gcref((uv_)->next)->uv)
#define uvval(uv_) (mref((uv_)->v, TValue))
#define FF_LUA 0
#define FF_C 1
#define isluafunc(fn) ((fn)->c.ffid == FF_LUA)
#define iscfunc(fn) ((fn)->c.ffid == FF_C)
#define isffunc(fn) ((fn)->c.ffid > FF_C)
#define funcproto(fn) ((GCproto *)(mref((fn)->l.pc, char) - sizeof(GCproto)))
#define sizeCfunc(n) (sizeof(GCfuncC) - sizeof(TValue) + sizeof(TValue) * (uint64_t)(n))
#define sizeLfunc(n) (sizeof(GCfuncL) - sizeof(GCRef) + sizeof(GCRef) * (uint64_t)(n))

// Tables.
#define sizetabcolo(n) ((uint64_t)(n) * sizeof(TValue) + sizeof(GCtab))
#define tabref(r) ((GCtab *)gcref((r)))
#define noderef(r) (mref((r), Node))
#define nextnode(n) (mref((n)->next, Node))
#define arrayslot(t, i) (&tvref((t)->array)[(i)])
#define inarray(t, key) ((MSize)(key) < (MSize)(t)->asize)
#define hashmask(t, hash) (&noderef((t)->node)[(hash) & (t)->hmask])
##ifdeffield GCstr sid
#define hashstr(t, s) hashmask(t, (s)->sid)
##else
#define hashstr(t, s) hashmask(t, (s)->hash)
##endif

// States.
#define G(L) (mref((L)->glref, global_State))
#define mainthread(g) (&gcref((g)->mainthref)->th)
#define registry(L) (&G(L)->registrytv)
#define niltvg(g) (&(g)->nilnode.val)
#define niltv(L) (&G(L)->nilnode.val)
#define basemt_it(g, it) ((g)->gcroot[GCROOT_BASEMT + ~(it)])
#define mmname_str(g, mm) (strref((g)->gcroot[GCROOT_MMNAME + (mm)]))
#define G2GG(gl) ((GG_State *)((char *)(gl) - (uint64_t)&((GG_State *)0)->g))
#define G2J(gl) (&G2GG(gl)->J)
#define L2GG(L) (G2GG(G(L)))
#define L2J(L) (&L2GG(L)->J)
#define traceref(J, n) ((GCtrace *)gcref((J)->trace[(n)]))
#define gco2trace(o) ((GCtrace *)(o))

// Frames of a Lua stack (lj_frame.h).
#define FRAME_TYPE 3
#define FRAME_P 4
#define FRAME_TYPEP (FRAME_TYPE | FRAME_P)
#if LJ_FR2
#define frame_gc(f) (gcval((f) - 1))
#define frame_ftsz(f) ((ptrdiff_t)(f)->ftsz)
#define frame_pc(f) ((const BCIns *)frame_ftsz(f))
#else
#define frame_gc(f) (gcref((f)->fr.func))
#define frame_ftsz(f) ((ptrdiff_t)(f)->fr.tp.ftsz)
#define frame_pc(f) (mref((f)->fr.tp.pcr, const BCIns))
#endif
#define frame_type(f) (frame_ftsz(f) & FRAME_TYPE)
#define frame_typep(f) (frame_ftsz(f) & FRAME_TYPEP)
#define frame_islua(f) (frame_type(f) == FRAME_LUA)
#define frame_isc(f) (frame_type(f) == FRAME_C)
#define frame_iscont(f) (frame_typep(f) == FRAME_CONT)
#define frame_isvarg(f) (frame_typep(f) == FRAME_VARG)
#define frame_ispcall(f) ((frame_ftsz(f) & 6) == FRAME_PCALL)
#define frame_func(f) (&frame_gc(f)->fn)
#define frame_delta(f) (frame_ftsz(f) >> 3)
#define frame_sized(f) (frame_ftsz(f) & ~FRAME_TYPEP)
#define frame_prevl(f) ((f) - (1 + LJ_FR2 + bc_a(frame_pc(f)[-1])))
#define frame_prevd(f) ((TValue *)((char *)(f) - frame_sized(f)))
#define frame_prev(f) (frame_islua(f) ? frame_prevl(f) : frame_prevd(f))
#if LJ_FR2
#define curr_func(L) (&gcval((L)->base - 2)->fn)
#else
#define curr_func(L) (&gcref(((L)->base - 1)->fr.func)->fn)
#endif
#define curr_funcisL(L) (isluafunc(curr_func(L)))
#define curr_proto(L) (funcproto(curr_func(L)))
#define curr_topL(L) ((L)->base + curr_proto(L)->framesize)
#define curr_top(L) (curr_funcisL(L) ? curr_topL(L) : (L)->top)

// Colours and flags of `marked`.
#define LJ_GC_WHITE0 0x01
#define LJ_GC_WHITE1 0x02
#define LJ_GC_BLACK 0x04
#define LJ_GC_FINALIZED 0x08
#define LJ_GC_CDATA_FIN 0x10
#define LJ_GC_FIXED 0x20
#define LJ_GC_SFIXED 0x40
#define LJ_GC_WEAKKEY 0x08
#define LJ_GC_WEAKVAL 0x10
#define LJ_GC_WEAK (LJ_GC_WEAKKEY | LJ_GC_WEAKVAL)
#define LJ_GC_WHITES (LJ_GC_WHITE0 | LJ_GC_WHITE1)
#define LJ_GC_COLORS (LJ_GC_WHITES | LJ_GC_BLACK)
#define iswhite(x) ((x)->gch.marked & LJ_GC_WHITES)
#define isblack(x) ((x)->gch.marked & LJ_GC_BLACK)
#define isgray(x) (!((x)->gch.marked & (LJ_GC_BLACK | LJ_GC_WHITES)))
#define tviswhite(x) (tvisgcv(x) && iswhite(gcV(x)))
#define otherwhite(g) ((g)->gc.currentwhite ^ LJ_GC_WHITES)
#define curwhite(g) ((g)->gc.currentwhite & LJ_GC_WHITES)
#define isdead(g, v) ((v)->gch.marked & otherwhite(g) & LJ_GC_WHITES)

// C types of the FFI.
#define CT_NUM 0
#define CT_STRUCT 1
#define CT_PTR 2
#define CT_ARRAY 3
#define CT_VOID 4
#define CT_ENUM 5
#define CT_HASSIZE 5
#define CT_FUNC 6
#define CT_TYPEDEF 7
#define CT_ATTRIB 8
#define CTSIZE_PTR 8
#define CTSIZE_INVALID 0xffffffffu
#define CTF_BOOL 0x08000000u
#define CTF_FP 0x04000000u
#define CTF_CONST 0x02000000u
#define CTF_UNSIGNED 0x00800000u
#define CTF_UNION 0x00800000u
#define CTF_REF 0x00800000u
#define CTF_VECTOR 0x08000000u
#define CTF_COMPLEX 0x04000000u
#define ctype_type(info) ((info) >> 28)
#define ctype_cid(info) ((info) & 0xffffu)
#define ctype_hassize(info) (ctype_type((info)) <= CT_HASSIZE)
#define ctype_isattrib(info) (ctype_type((info)) == CT_ATTRIB)
#define ctype_ctsG(g) (mref((g)->ctype_state, CTState))

#endif
