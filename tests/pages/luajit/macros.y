/// Every macro of the library that the other pages do not use, at least compiled; and the frames of the main thread's stack.
#include <luajit/c.y>

#define S(x) sum += (int64_t)(x);

static LJ_AINLINE int64_t constants(int64_t sum)
{
  S(LJ_DUALNUM) S(LJ_FR2) S(LJ_GC64) S(LJ_TNIL) S(LJ_TFALSE) S(LJ_TTRUE) S(LJ_TLIGHTUD) S(LJ_TUPVAL) S(LJ_TTHREAD) S(LJ_TPROTO) S(LJ_TTRACE)
  S(LJ_TCDATA) S(LJ_TUDATA) S(LJ_TNUMX) S(LJ_TISNUM) S(LJ_TISGCV) S(LJ_TISPRI) S(LJ_TISTABUD) S(LJ_TISTRUECOND) S(U64x(00000001, 00000002))
  S(FF_LUA) S(FF_C) S(FRAME_TYPE) S(FRAME_P) S(FRAME_TYPEP)
  S(LJ_GC_WHITE0) S(LJ_GC_WHITE1) S(LJ_GC_BLACK) S(LJ_GC_FINALIZED) S(LJ_GC_CDATA_FIN) S(LJ_GC_FIXED) S(LJ_GC_SFIXED)
  S(LJ_GC_WEAK) S(LJ_GC_WEAKKEY) S(LJ_GC_WEAKVAL) S(LJ_GC_WHITES) S(LJ_GC_COLORS)
  S(PROTO_CHILD) S(PROTO_VARARG) S(PROTO_FFI) S(PROTO_NOJIT) S(PROTO_ILOOP) S(PROTO_UV_LOCAL) S(PROTO_UV_IMMUTABLE)
  S(CT_NUM) S(CT_STRUCT) S(CT_PTR) S(CT_ARRAY) S(CT_VOID) S(CT_ENUM) S(CT_HASSIZE) S(CT_FUNC) S(CT_TYPEDEF) S(CT_ATTRIB) S(CTSIZE_PTR)
  S(CTSIZE_INVALID) S(CTF_BOOL) S(CTF_FP) S(CTF_CONST) S(CTF_UNSIGNED) S(CTF_UNION) S(CTF_REF) S(CTF_VECTOR) S(CTF_COMPLEX)
  S(ctype_type(1u << 28)) S(ctype_cid(7)) S(ctype_hassize(0u)) S(ctype_isattrib(0u))
  S(sizeCfunc(1)) S(sizeLfunc(1)) S(sizetabcolo(2)) S(lj_str_size(3)) S(bc_b(0x01020304)) S(bc_c(0x01020304)) S(bc_d(0x01020304))
#if LJ_GC64
  S(LJ_GCVMASK)
#endif
  return sum;
}

static int64_t values(cTValue *o, uint64_t w, int64_t sum)
{
  S(itype(o)) S(gcval(o)) S(gcV(o)) S(tvisfalse(o)) S(tvistrue(o)) S(tvisbool(o)) S(tvislightud(o)) S(tvisthread(o)) S(tvisproto(o))
  S(tviscdata(o)) S(tvisudata(o)) S(tvisnumber(o)) S(tvisint(o)) S(tvistruecond(o)) S(tvispri(o)) S(tvistabud(o)) S(tvisgcv(o))
  S(tvisnan(o)) S(tviszero(o)) S(tviswhite(o)) S(boolV(o)) S(intV(o)) S(threadV(o)) S(protoV(o)) S(cdataV(o)) S(udataV(o))
  S(lj_typename(o)) S(lj_word_tag(w)) S(lj_word_gc(w)) S(lj_tag_isgc(lj_word_tag(w)))
  return sum;
}

static int64_t objects(lua_State *L, GCobj *o, GCcdata *cd, GCudata *ud, GCproto *pt, GCtab *t, GCupval *uv, GCstr *s, int64_t sum)
{
  global_State *g = G(L);
  Node *n = hashstr(t, s);
  UNUSED(n);
  S(gco2uv(o)) S(gco2th(o)) S(gco2pt(o)) S(gco2func(o)) S(gco2cd(o)) S(gco2tab(o)) S(gco2ud(o)) S(gco2trace(o)) S(obj2gco(t))
  S(iswhite(o)) S(isblack(o)) S(isgray(o)) S(isdead(g, o)) S(curwhite(g)) S(otherwhite(g))
  S(cdataptr(cd)) S(cdataisv(cd)) S(cdatav(cd)) S(sizecdatav(cd)) S(memcdatav(cd)) S(uddata(ud)) S(sizeudata(ud)) S(ctype_ctsG(g))
  S(proto_chunkname(pt)) S(proto_kgc(pt, -1)) S(proto_knumtv(pt, 0)) S(proto_bcpos(pt, proto_bc(pt))) S(proto_lineinfo(pt)) S(proto_varinfo(pt))
  S(proto_uv(pt)) S(uvprev(uv)) S(uvnext(uv)) S(iscfunc(gco2func(o))) S(isffunc(gco2func(o)))
  S(nextnode(hashmask(t, 1))) S(inarray(t, 1)) S(strref(t->metatable)) S(tvref(t->array)) S(gcrefp(t->metatable, GCtab)) S(mref(t->node, Node))
  S(mrefu(t->node)) S(gcrefeq(t->metatable, t->metatable)) S(niltv(L)) S(niltvg(g)) S(mainthread(g)) S(registry(L)) S(gcref(basemt_it(g, LJ_TSTR)))
  S(mmname_str(g, 0)) S(G2GG(g)) S(L2GG(L)) S(G2J(g)) S(L2J(L)) S(traceref(L2J(L), 1)) S(check_exp(1, 2))
  return LJ_LIKELY(sum) || LJ_UNLIKELY(sum);
}

_probe _oneshot {
  lua_State *L = globalL;
  cTValue *frame, *bot = tvref(L->stack);
  int n = 0;

  for (frame = L->base - 1; frame > bot + LJ_FR2; frame = frame_prev(frame)) {
    GCfunc *fn = frame_func(frame);
    if (frame_isvarg(frame) || frame_iscont(frame)) continue;
    printf("%d %s\n", n++, isluafunc(fn) ? proto_chunknamestr(funcproto(fn)) : "C");
    if (frame_isc(frame) && frame_delta(frame) <= 0)
      break;
    if (frame_ispcall(frame) && frame_sized(frame) != (frame_ftsz(frame) & ~7) || frame_type(frame) > 3 || frame_typep(frame) > 7)
      _error("odd frame");
  }
  printf("top %s\n", curr_top(L) >= L->base ? "above" : "below");
  if (curr_funcisL(L))
    printf("%d\n", curr_topL(L) == L->base + curr_proto(L)->framesize);
  if (constants(0) == 0)
    printf("%ld %ld\n", values(bot, 0, 0), objects(L, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0));
}
