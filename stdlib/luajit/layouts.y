/// What LuaJIT's structures look like in the versions that are in use, for libraries without debug information: one candidate for each distinct set
/// of layouts, named by the width of its references, the project and the versions that have it.
///
/// Only the fields that the walk reads are declared, at their exact offsets; the rest is padding. Candidates are tried in order, and one is believed
/// only after `lj_valid` of <luajit/vm.y> has held on the live structures.
///
/// To add a version, build it with debug information and take the offsets and sizes from there, for instance with gdb's `ptype /o struct GCtab`;
/// a library with debug information needs no candidate, so the same walk on that build tells whether the new one is right.

#ifndef LUAJIT_LAYOUTS_Y
#define LUAJIT_LAYOUTS_Y

int lj_valid(void);

_layout lj {
    "gc64-openresty-20211210..20240314" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 112, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3144, CType 24, CCallback 216, CTState 520, global_State 736, GG_State 6296, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[20];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2744];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[192]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
            uint8_t pad6[8];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-openresty-20201027..20210510" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 112, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3136, CType 24, CCallback 216, CTState 520, global_State 736, GG_State 6288, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[20];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2736];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[192]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
            uint8_t pad6[8];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-openresty-20190507..20200102" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, lua_State 104, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3120, CType 24, CCallback 168, CTState 472, global_State 680, GG_State 6208, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len; uint8_t pad1[4];
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[12];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[8];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[8]; GCRef mainthref; TValue registrytv; uint8_t pad2[16];
            Node nilnode; GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[16]; MRef ctype_state;
            GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-openresty-20180420" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, lua_State 96, GCtrace 120, IRIns 8, SnapShot 8, jit_State 3120, CType 24, CCallback 168, CTState 472, global_State 680, GG_State 6200, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len; uint8_t pad1[4];
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t nins; uint8_t pad1[16]; IRIns *ir;
            uint32_t nk; uint16_t nsnap; uint16_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc;
            uint8_t pad2[24]; uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside;
            uint8_t pad3[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[8];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[8];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[8]; GCRef mainthref; TValue registrytv; uint8_t pad2[16];
            Node nilnode; GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[16]; MRef ctype_state;
            GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-upstream-20260819" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3128, CType 24, CCallback 168, CTState 464, global_State 744, GG_State 6384, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2728];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCRef vmthref;
            GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32];
            GCRef gcroot[39];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[257]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20260501..20260701" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3128, CType 24, CCallback 168, CTState 464, global_State 744, GG_State 6272, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2728];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCRef vmthref;
            GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32];
            GCRef gcroot[39];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20251101" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3128, CType 24, CCallback 168, CTState 464, global_State 736, GG_State 6264, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2728];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[39];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20240801..20250301" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3112, CType 24, CCallback 168, CTState 464, global_State 736, GG_State 6248, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[39];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20220308..20240401" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3112, CType 24, CCallback 168, CTState 472, global_State 728, GG_State 6240, GChead 40, SBufExt 72
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20210607" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3112, CType 24, CCallback 168, CTState 472, global_State 728, GG_State 6240, GChead 40, SBufExt 64
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict;
            uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc64-upstream-20210102" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 104, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3104, CType 24, CCallback 168, CTState 472, global_State 728, GG_State 6232, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[32]; GCRef mmudata; uint8_t pad3[24]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2704];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-upstream-20200805" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, StrInternState 32, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3104, CType 24, CCallback 168, CTState 472, global_State 720, GG_State 6224, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2704];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[8];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state; uint8_t pad5[32]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-upstream-20200601" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3104, CType 24, CCallback 168, CTState 472, global_State 704, GG_State 6208, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len; uint8_t pad1[4];
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2704];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[8];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[8]; GCRef mainthref; TValue registrytv; uint8_t pad2[16];
            Node nilnode; GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state;
            uint8_t pad5[32]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-upstream-694d69a" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, lua_State 96, GCtrace 120, IRIns 8, SnapShot 12, jit_State 3120, CType 24, CCallback 168, CTState 472, global_State 672, GG_State 6192, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len; uint8_t pad1[4];
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[16]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[8];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[8]; GCRef mainthref; TValue registrytv; uint8_t pad2[16];
            Node nilnode; GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state;
            GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc64-upstream-20170501" {
        // sizes: MRef 8, GCRef 8, SBuf 32, TValue 8, GCstr 24, GCudata 48, GCcdata 16, GCcdataVar 8, GCproto 104, GCupval 48, GCfuncC 56, GCfuncL 48, Node 24, GCtab 64, GCState 96, lua_State 96, GCtrace 120, IRIns 8, SnapShot 8, jit_State 3120, CType 24, CCallback 168, CTState 472, global_State 672, GG_State 6192, GChead 40
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint64_t ptr64;
        } MRef;
        typedef struct GCRef {
            uint64_t gcptr64;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int64_t it64;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len; uint8_t pad1[4];
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[5]; GCRef env; uint32_t len;
            uint8_t pad1[4]; GCRef metatable; uint8_t pad2[8];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid; uint8_t pad0[4];
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[16]; MRef k;
            MRef uv; uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[8]; MRef uvinfo; uint8_t pad3[8];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[5]; union { TValue tv; GCRef prev; };
            GCRef next; MRef v; uint8_t pad1[8];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; uint8_t pad0[4]; GCRef env;
            uint8_t pad1[8]; MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next;
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; uint8_t pad0[4]; MRef array;
            uint8_t pad1[8]; GCRef metatable; MRef node; uint32_t asize; uint32_t hmask; uint8_t pad2[8];
        } GCtab;
        typedef struct GCState {
            uint64_t total; uint64_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[32]; GCRef mmudata; uint8_t pad2[24];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; uint8_t pad1[4]; MRef glref;
            uint8_t pad2[8]; TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env;
            uint8_t pad3[8]; uint32_t stacksize; uint8_t pad4[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t nins; uint8_t pad1[16]; IRIns *ir;
            uint32_t nk; uint16_t nsnap; uint16_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc;
            uint8_t pad2[24]; uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside;
            uint8_t pad3[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[8];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2712];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; uint8_t pad0[4]; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[8];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[8]; GCRef mainthref; TValue registrytv; uint8_t pad2[16];
            Node nilnode; GCupval uvhead; uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[8]; MRef ctype_state;
            GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[22]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-openresty-20211210..20240314" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 80, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2592, CType 16, CCallback 216, CTState 520, global_State 496, GG_State 5472, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[20];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2216];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[192]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
            uint8_t pad6[8];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-openresty-20201027..20210510" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 80, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2584, CType 16, CCallback 216, CTState 520, global_State 480, GG_State 5448, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[20];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2208];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[192]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
            uint8_t pad6[8];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-openresty-20190507..20200102" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 16, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, lua_State 72, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2568, CType 16, CCallback 168, CTState 472, global_State 416, GG_State 5360, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[12];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[4];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[4]; GCRef mainthref; uint8_t pad2[4]; TValue registrytv;
            uint8_t pad3[16]; Node nilnode; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[8];
            MRef ctype_state; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-openresty-20180420" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 16, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, lua_State 64, GCtrace 96, IRIns 8, SnapShot 8, jit_State 2568, CType 16, CCallback 168, CTState 472, global_State 416, GG_State 5352, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t nins; uint8_t pad1[4]; IRIns *ir;
            uint32_t nk; uint16_t nsnap; uint16_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc;
            uint8_t pad2[24]; uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside;
            uint8_t pad3[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[8];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[4];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[4]; GCRef mainthref; uint8_t pad2[4]; TValue registrytv;
            uint8_t pad3[16]; Node nilnode; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[8];
            MRef ctype_state; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-upstream-20260819" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2576, CType 16, CCallback 168, CTState 464, global_State 504, GG_State 5560, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2200];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCRef vmthref;
            uint8_t pad3[4]; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[4]; MRef ctype_state;
            uint8_t pad6[36]; GCRef gcroot[39]; uint8_t pad7[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[257]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20260501..20260701" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2576, CType 16, CCallback 168, CTState 464, global_State 504, GG_State 5448, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2200];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCRef vmthref;
            uint8_t pad3[4]; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[4]; MRef ctype_state;
            uint8_t pad6[36]; GCRef gcroot[39]; uint8_t pad7[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20251101" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2576, CType 16, CCallback 168, CTState 464, global_State 496, GG_State 5440, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2200];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[39];
            uint8_t pad6[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20240801..20250301" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2560, CType 16, CCallback 168, CTState 464, global_State 496, GG_State 5424, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *miscmap; CCallback cb;
            uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[39];
            uint8_t pad6[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_FFI_FIN = 38, GCROOT_MAX = 39 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20220308..20240401" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2560, CType 16, CCallback 168, CTState 472, global_State 488, GG_State 5416, GChead 20, SBufExt 56
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict_str;
            GCRef dict_mt; uint8_t pad1[8];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20210607" {
        // sizes: MRef 4, GCRef 4, SBuf 32, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2560, CType 16, CCallback 168, CTState 472, global_State 488, GG_State 5416, GChead 20, SBufExt 48
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef struct SBufExt SBufExt; typedef union GCfunc GCfunc;
        typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            char *w; char *e; char *b; MRef L; uint8_t pad0[4];
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef struct SBufExt {
            char *w; char *e; char *b; MRef L; union { GCRef cowref; MRef bsb; }; uint8_t pad0[8]; GCRef dict;
            uint8_t pad1[4];
        } SBufExt;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
        enum { UDTYPE_BUFFER = 3 };
    }
    "gc32-upstream-20210102" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 60, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2552, CType 16, CCallback 168, CTState 472, global_State 472, GG_State 5392, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[1]; uint8_t lightudnum;
            uint8_t pad1[4]; GCRef root; uint8_t pad2[16]; GCRef mmudata; uint8_t pad3[16]; MRef lightudseg;
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2176];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[8]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-upstream-20200805" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 20, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, StrInternState 32, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2552, CType 16, CCallback 168, CTState 472, global_State 464, GG_State 5384, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct StrInternState StrInternState; typedef struct lua_State lua_State;
        typedef struct GCtrace GCtrace; typedef union IRIns IRIns; typedef struct SnapShot SnapShot;
        typedef struct jit_State jit_State; typedef struct CType CType; typedef struct CCallback CCallback;
        typedef struct CTState CTState; typedef struct global_State global_State; typedef struct GG_State GG_State;
        typedef struct GChead GChead; typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sid; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct StrInternState {
            GCRef *tab; uint32_t mask; uint32_t num; uint8_t pad0[16];
        } StrInternState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2176];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            void *allocf; void *allocd; GCState gc; GCstr strempty; uint8_t pad0[4]; StrInternState str; uint8_t pad1[4];
            GCRef mainthref; SBuf tmpbuf; uint8_t pad2[16]; Node nilnode; TValue registrytv; GCupval uvhead;
            uint8_t pad3[40]; GCRef cur_L; uint8_t pad4[4]; MRef ctype_state; uint8_t pad5[36]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-upstream-20200601" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 16, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2552, CType 16, CCallback 168, CTState 472, global_State 448, GG_State 5368, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[88]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2176];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[4];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[4]; GCRef mainthref; uint8_t pad2[4]; TValue registrytv;
            uint8_t pad3[16]; Node nilnode; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[4];
            MRef ctype_state; uint8_t pad6[36]; GCRef gcroot[38];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-upstream-694d69a" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 16, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, lua_State 64, GCtrace 96, IRIns 8, SnapShot 12, jit_State 2568, CType 16, CCallback 168, CTState 472, global_State 416, GG_State 5352, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t nsnap; uint32_t nins; uint8_t pad0[4]; IRIns *ir;
            uint32_t nk; uint32_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc; uint8_t pad1[24];
            uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside; uint8_t pad2[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[12];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[4];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[4]; GCRef mainthref; uint8_t pad2[4]; TValue registrytv;
            uint8_t pad3[16]; Node nilnode; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[4];
            MRef ctype_state; GCRef gcroot[38]; uint8_t pad6[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
    "gc32-upstream-20170501" {
        // sizes: MRef 4, GCRef 4, SBuf 16, TValue 8, GCstr 16, GCudata 24, GCcdata 8, GCcdataVar 8, GCproto 64, GCupval 24, GCfuncC 40, GCfuncL 24, Node 24, GCtab 32, GCState 56, lua_State 64, GCtrace 96, IRIns 8, SnapShot 8, jit_State 2568, CType 16, CCallback 168, CTState 472, global_State 416, GG_State 5352, GChead 20
        typedef struct MRef MRef; typedef struct GCRef GCRef; typedef struct SBuf SBuf; typedef union TValue TValue;
        typedef struct GCstr GCstr; typedef struct GCudata GCudata; typedef struct GCcdata GCcdata;
        typedef struct GCcdataVar GCcdataVar; typedef struct GCproto GCproto; typedef struct GCupval GCupval;
        typedef struct GCfuncC GCfuncC; typedef struct GCfuncL GCfuncL; typedef struct Node Node; typedef struct GCtab GCtab;
        typedef struct GCState GCState; typedef struct lua_State lua_State; typedef struct GCtrace GCtrace;
        typedef union IRIns IRIns; typedef struct SnapShot SnapShot; typedef struct jit_State jit_State;
        typedef struct CType CType; typedef struct CCallback CCallback; typedef struct CTState CTState;
        typedef struct global_State global_State; typedef struct GG_State GG_State; typedef struct GChead GChead;
        typedef union GCfunc GCfunc; typedef union GCobj GCobj;
        typedef struct MRef {
            uint32_t ptr32;
        } MRef;
        typedef struct GCRef {
            uint32_t gcptr32;
        } GCRef;
        typedef struct SBuf {
            MRef p; MRef e; MRef b; MRef L;
        } SBuf;
        typedef union TValue {
            uint64_t u64;
            double n;
            GCRef gcr;
            int32_t i;
            struct { uint8_t pad_it[4]; uint32_t it; };
        } TValue;
        typedef struct GCstr {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t hash; uint32_t len;
        } GCstr;
        typedef struct GCudata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t udtype; uint8_t pad0[1]; GCRef env; uint32_t len;
            GCRef metatable; uint8_t pad1[4];
        } GCudata;
        typedef struct GCcdata {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint16_t ctypeid;
        } GCcdata;
        typedef struct GCcdataVar {
            uint16_t offset; uint16_t extra; uint32_t len;
        } GCcdataVar;
        typedef struct GCproto {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t sizebc; uint8_t pad1[4]; MRef k; MRef uv;
            uint32_t sizekgc; uint32_t sizekn; uint32_t sizept; uint8_t sizeuv; uint8_t flags; uint16_t trace;
            GCRef chunkname; int32_t firstline; int32_t numline; uint8_t pad2[4]; MRef uvinfo; uint8_t pad3[4];
        } GCproto;
        typedef struct GCupval {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t closed; uint8_t pad0[1];
            union { TValue tv; GCRef prev; struct { uint8_t pad_next[4]; GCRef next; }; }; MRef v; uint8_t pad1[4];
        } GCupval;
        typedef struct GCfuncC {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; uint8_t pad1[4]; void *f; TValue upvalue[1];
        } GCfuncC;
        typedef struct GCfuncL {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t ffid; uint8_t nupvalues; GCRef env; uint8_t pad0[4];
            MRef pc; GCRef uvptr[1];
        } GCfuncL;
        typedef union GCfunc { GCfuncC c; GCfuncL l; } GCfunc;
        typedef struct Node {
            TValue val; TValue key; MRef next; uint8_t pad0[4];
        } Node;
        typedef struct GCtab {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t nomm; int8_t colo; MRef array; uint8_t pad0[4];
            GCRef metatable; MRef node; uint32_t asize; uint32_t hmask;
        } GCtab;
        typedef struct GCState {
            uint32_t total; uint32_t threshold; uint8_t currentwhite; uint8_t state; uint8_t pad0[6]; GCRef root;
            uint8_t pad1[16]; GCRef mmudata; uint8_t pad2[16];
        } GCState;
        typedef struct lua_State {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[1]; uint8_t status; MRef glref; uint8_t pad1[4];
            TValue *base; TValue *top; MRef maxstack; MRef stack; GCRef openupval; GCRef env; uint8_t pad2[8];
            uint32_t stacksize; uint8_t pad3[4];
        } lua_State;
        typedef struct GCtrace {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[2]; uint32_t nins; uint8_t pad1[4]; IRIns *ir;
            uint32_t nk; uint16_t nsnap; uint16_t nsnapmap; SnapShot *snap; void *snapmap; GCRef startpt; MRef startpc;
            uint8_t pad2[24]; uint16_t traceno; uint16_t link; uint16_t root; uint16_t nextroot; uint16_t nextside;
            uint8_t pad3[6];
        } GCtrace;
        typedef union IRIns {
            uint16_t op1;
            struct { uint8_t pad_op2[2]; uint16_t op2; };
            struct { uint8_t pad_ot[4]; uint16_t ot; };
            uint32_t op12;
            struct { uint8_t pad_o[5]; uint8_t o; };
            GCRef gcr;
        } IRIns;
        typedef struct SnapShot {
            uint8_t pad0[8];
        } SnapShot;
        typedef struct jit_State {
            GCtrace cur; GCtrace *curfinal; lua_State *L; uint8_t pad0[8]; GCfunc *fn; GCproto *pt; uint8_t pad1[76];
            uint32_t state; uint8_t pad2[96]; IRIns *irbuf; uint32_t irtoplim; uint32_t irbotlim; uint8_t pad3[4];
            uint32_t sizesnap; SnapShot *snapbuf; void *snapmapbuf; uint32_t sizesnapmap; uint8_t pad4[12]; GCRef *trace;
            uint8_t pad5[4]; uint32_t sizetrace; uint8_t pad6[2184];
        } jit_State;
        typedef struct CType {
            uint32_t info; uint32_t size; uint16_t sib; uint16_t next; GCRef name;
        } CType;
        typedef struct CCallback {
            uint8_t pad0[144]; void *cbid; uint32_t sizeid; uint32_t topid; uint8_t pad1[8];
        } CCallback;
        typedef struct CTState {
            CType *tab; uint32_t top; uint32_t sizetab; lua_State *L; global_State *g; GCtab *finalizer; GCtab *miscmap;
            CCallback cb; uint8_t pad0[256];
        } CTState;
        typedef struct global_State {
            GCRef *strhash; uint32_t strmask; uint32_t strnum; void *allocf; void *allocd; GCState gc; uint8_t pad0[4];
            SBuf tmpbuf; GCstr strempty; uint8_t pad1[4]; GCRef mainthref; uint8_t pad2[4]; TValue registrytv;
            uint8_t pad3[16]; Node nilnode; GCupval uvhead; uint8_t pad4[40]; GCRef cur_L; uint8_t pad5[4];
            MRef ctype_state; GCRef gcroot[38]; uint8_t pad6[4];
        } global_State;
        typedef struct GG_State {
            lua_State L; global_State g; jit_State J; uint8_t pad0[128]; void *dispatch[243]; uint32_t bcff[57];
            uint8_t pad1[4];
        } GG_State;
        typedef struct GChead {
            GCRef nextgc; uint8_t marked; uint8_t gct; uint8_t pad0[10]; GCRef metatable;
        } GChead;
        typedef union GCobj {
            GChead gch; GCstr str; GCupval uv; lua_State th; GCproto pt; GCfunc fn; GCcdata cd; GCtab tab; GCudata ud;
        } GCobj;
        enum { GCROOT_BASEMT = 22, GCROOT_BASEMT_NUM = 35, GCROOT_IO_INPUT = 36, GCROOT_IO_OUTPUT = 37, GCROOT_MAX = 38 };
        enum { REF_BIAS = 32768, REF_TRUE = 32765, IR_KGC = 24, IR_KNULL = 27 };
        enum { IRT_LIGHTUD = 3, IRT_STR = 4, IRT_THREAD = 6, IRT_PROTO = 7, IRT_FUNC = 8, IRT_P64 = 9, IRT_CDATA = 10, IRT_TAB = 11, IRT_UDATA = 12, IRT_NUM = 14, IRT_I64 = 21, IRT_U64 = 22 };
    }
} _valid lj_valid;

// Where lj_valid is.
#include <luajit/vm.y>

#endif
