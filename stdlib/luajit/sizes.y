/// What LuaJIT's collector accounts for each object, to the byte (the `lj_*_free` functions of its sources), and the names of C types and
/// functions.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_SIZES_Y
#define LUAJIT_SIZES_Y

#include <luajit/layouts.y>
#include <luajit/c.y>

/// The machine that is walked, and its C type state (NULL without the FFI).
global_State *lj_g;
CTState *lj_cts;

/// Bytes of fixed-size C data by C type, header included; 0 where not yet known.
uint32_t lj_ctype_bytes[65536];

/// Fills `lj_ctype_bytes` for a C type, looking through attributes as `ctype_raw` does.
uint32_t lj_ctype_learn(uint32_t id)
{
    uint32_t raw = id;
    for (int i = 0; i < 64; i++) {
        if (!lj_cts || raw >= lj_cts->top)
            _raise("C data of the C type %u, but there are only %u", id, lj_cts ? lj_cts->top : 0);
        CType *ct = &lj_cts->tab[raw];
        uint32_t info = ct->info;
        if (!ctype_isattrib(info)) {
            uint32_t size = ctype_hassize(info) ? ct->size : CTSIZE_PTR;
            lj_ctype_bytes[id] = size + sizeof(GCcdata);
            return lj_ctype_bytes[id];
        }
        raw = ctype_cid(info);
    }
    _raise("the C type %u has a chain of attributes without an end", id);
}

uint64_t lj_cdata_size(GCcdata *cd)
{
    if (cdataisv(cd))
        return sizecdatav(cd);
    uint32_t size = lj_ctype_bytes[cd->ctypeid];
    return size ? size : lj_ctype_learn(cd->ctypeid);
}

uint64_t lj_table_size(GCtab *t)
{
    uint64_t size = t->colo ? sizetabcolo(t->colo & 0x7f) : sizeof(GCtab);
    if (t->asize > 0 && t->colo <= 0)
        size += t->asize * sizeof(TValue);
    if (t->hmask > 0)
        size += ((uint64_t)t->hmask + 1) * sizeof(Node);
    return size;
}

uint64_t lj_function_size(GCfunc *fn)
{
    return isluafunc(fn) ? sizeLfunc(fn->l.nupvalues) : sizeCfunc(fn->c.nupvalues);
}

/// The main thread itself is part of GG_State; only its stack is its own.
uint64_t lj_thread_size(lua_State *th)
{
    return (th == mainthread(lj_g) ? 0 : sizeof(lua_State)) + (uint64_t)th->stacksize * sizeof(TValue);
}

uint64_t lj_trace_size(GCtrace *T)
{
    return ((sizeof(GCtrace) + 7) & ~7ul) + (uint64_t)(T->nins - T->nk) * sizeof(IRIns) + (uint64_t)T->nsnap * sizeof(SnapShot) +
           (uint64_t)T->nsnapmap * sizeof(uint32_t);
}

/// Userdata with its payload; for a string buffer, the buffer as well.
uint64_t lj_userdata_size(GCudata *ud)
{
    uint64_t size = sizeudata(ud);
##ifdeffield SBufExt cowref
    if (ud->udtype == UDTYPE_BUFFER) {
        SBufExt *sbx = (SBufExt *)uddata(ud);
        if (!(mrefu(sbx->L) & 6)) // neither copy-on-write nor borrowed
            size += (uint64_t)sbx->e - (uint64_t)sbx->b;
    }
##endif
    return size;
}

/// The size of any object. `gct` is its type, as in its header.
uint64_t lj_object_size(GCobj *o, int gct)
{
    switch (gct) {
    case 4:
        return o == (GCobj *)&lj_g->strempty ? 0 : lj_str_size(o->str.len);
    case 5:
        return sizeof(GCupval);
    case 6:
        return lj_thread_size(&o->th);
    case 7:
        return o->pt.sizept;
    case 8:
        return lj_function_size(&o->fn);
    case 9:
        return lj_trace_size(gco2trace(o));
    case 10:
        return lj_cdata_size(&o->cd);
    case 11:
        return lj_table_size(&o->tab);
    case 12:
        return lj_userdata_size(&o->ud);
    default:
        _raise("an object of the unknown type %d", gct);
    }
}

/// The plural of a type's name, for the branches of objects that are not reached by name.
_str lj_kind_name(int gct)
{
    switch (gct) {
    case 4: return "strings";
    case 5: return "upvalues";
    case 6: return "threads";
    case 7: return "prototypes";
    case 8: return "functions";
    case 9: return "traces";
    case 10: return "cdata";
    case 11: return "tables";
    case 12: return "userdata";
    }
    return "unknown";
}

/// A C type as C writes it, roughly: "struct x509_st *", "int [10]", "double".
_str lj_ctype_name(uint32_t id, int depth)
{
    if (!lj_cts || id >= lj_cts->top || depth > 8)
        return "?";
    CType *ct = &lj_cts->tab[id];
    uint32_t info = ct->info;
    _str name = "";
    if (gcrefu(ct->name))
        name = _tostr(strdata(strref(ct->name)));
    switch (ctype_type(info)) {
    case CT_NUM:
        if (info & CTF_BOOL)
            return "bool";
        if (info & CTF_FP)
            return ct->size == 4 ? "float" : "double";
        return sprintf("%sint%u_t", info & CTF_UNSIGNED ? "u" : "", ct->size * 8);
    case CT_STRUCT:
        return (info & CTF_UNION ? "union" : "struct") + (name == "" ? "" : " " + name);
    case CT_PTR:
        return lj_ctype_name(ctype_cid(info), depth + 1) + (info & CTF_REF ? " &" : " *");
    case CT_ARRAY:
        if (info & CTF_COMPLEX)
            return "complex";
        if (ct->size == CTSIZE_INVALID)
            return lj_ctype_name(ctype_cid(info), depth + 1) + " [?]";
        return sprintf("%s [%u bytes]", lj_ctype_name(ctype_cid(info), depth + 1), ct->size);
    case CT_VOID:
        return "void";
    case CT_ENUM:
        return "enum" + (name == "" ? "" : " " + name);
    case CT_FUNC:
        return "function" + (name == "" ? "" : " " + name);
    case CT_TYPEDEF:
    case CT_ATTRIB:
        return lj_ctype_name(ctype_cid(info), depth + 1);
    case 13: // CT_EXTERN
        return lj_ctype_name(ctype_cid(info), depth + 1);
    }
    return "?";
}

/// The last part of a file name, or the name of a chunk that is no file, cut at `LJ_CHUNK_NAME` bytes.
#define LJ_CHUNK_NAME 60
_str lj_chunk_basename(GCstr *s)
{
    const char *p = strdata(s);
    uint32_t len = s->len;
    if (len == 0)
        return "?";
    if (p[0] != '@' && p[0] != '=')
        return "[string]";
    uint32_t start = 1;
    for (uint32_t i = 1; i < len && i < 4096; i++)
        if (p[i] == '/')
            start = i + 1;
    len -= start;
    return _tostr(p + start, len < LJ_CHUNK_NAME ? len : LJ_CHUNK_NAME);
}

/// "dynamic_cert.lua:12", the place where a function is defined.
_str lj_proto_name(GCproto *pt)
{
    return sprintf("%s:%d", lj_chunk_basename(proto_chunkname(pt)), pt->firstline);
}

/// The name of a Lua function's upvalue, from the debug information of its prototype.
_str lj_upvalue_name(GCproto *pt, int idx)
{
    const uint8_t *p = proto_uvinfo(pt);
    if (!p || idx >= pt->sizeuv)
        return sprintf("upvalue %d", idx + 1);
    for (int i = 0; i < idx; i++)
        p += strlen((const char *)p) + 1;
    return "upvalue " + _tostr((const char *)p);
}

/// Whether a string reads like a name in a program: it may be shown. Anything else is data.
int lj_is_name(GCstr *s)
{
    uint32_t len = s->len;
    if (len == 0 || len > 64)
        return 0;
    const char *p = strdata(s);
    for (uint32_t i = 0; i < len; i++) {
        char c = p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return 1;
}

/// The value under a string key of a table, or NULL. Looks at every slot: for the few tables that have to be asked.
TValue *lj_table_get(GCtab *t, _str name)
{
    if (t->hmask == 0)
        return NULL;
    Node *node = noderef(t->node);
    for (uint32_t i = 0; i <= t->hmask; i++) {
        TValue *key = &node[i].key;
        if (tvisstr(key) && strV(key)->len == _len(name) && !tvisnil(&node[i].val) && _tostr(strdata(strV(key))) == name)
            return &node[i].val;
    }
    return NULL;
}

#endif
