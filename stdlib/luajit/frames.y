/// Lua frames in the backtraces of events: `lj_mixed_ubt()` gives the stack of the thread that was hit, with the Lua functions that were being
/// called where LuaJIT's virtual machine is among the C functions.
///
///     #include <luajit/frames.y>
///     _probe _begin { lj_frames_begin("auto"); }
///     _probe malloc(size_t n) { bytes[lj_mixed_ubt()] += n; }
///
/// What changes from one instant to the next is captured at the hit: the state that runs, its frames on the C stack, the inner end of its Lua stack.
/// Prototypes and bytecode live long; they are read when the handler runs (`_late`), and believed for a tenth of a second. A function that has been
/// collected by then is marked `(gone)`. A Lua stack deeper than what is captured is marked `(Lua frames cut)`.
///
/// The virtual machine's frame on the C stack (lj_frame.h, vm_x64.dasc, vm_x86.dasc) is found by `L->cframe`, the stack pointer while the machine runs:
/// at 16 the state, at 24 the bytecode position (32-bit references: at 24 and 28), at 8 the number of results (at 16), at 32 the frame before, at 64 the
/// caller's rbp, at 72 the return address. Code that the trace compiler made extends this frame, so C functions below it are found the same way.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_FRAMES_Y
#define LUAJIT_FRAMES_Y

#include <luajit/vm.y>
#include <luajit/sizes.y>

/// How many slots of a Lua stack are captured, and of how many states: a coroutine and the one that resumed it.
#define LJ_SLOTS 384
#define LJ_STATES 2
/// How many frames of the virtual machine on the C stack are captured for each state.
#define LJ_CFRAMES 3
/// Frames deeper than this are left out.
#define LJ_MOST_FRAMES 250
/// For how long what a prototype said is believed, in nanoseconds.
#define LJ_BELIEVED 100000000l
/// No C stack has its virtual machine further above the stack pointer than this.
#define LJ_FAR (1ul << 20)
#define LJ_CONT_FFI_CALLBACK 1
/// Bytes of an instruction of bytecode.
#define LJ_INSTRUCTION 4

/// A frame of the virtual machine on the C stack.
struct lj_cframe {
    uint64_t word[10];
};
#define lj_cframe_prev(f) ((f).word[4])
#define lj_cframe_bp(f) ((f).word[8])
#define lj_cframe_return(f) ((f).word[9])
#if LJ_GC64
#define lj_cframe_L(f) ((f).word[2])
#define lj_cframe_pc(f) ((f).word[3])
#define lj_cframe_nres(f) ((int)(uint32_t)(f).word[1])
#else
#define lj_cframe_L(f) ((f).word[3] & 0xfffffffful)
#define lj_cframe_pc(f) ((f).word[3] >> 32)
#define lj_cframe_nres(f) ((int)(uint32_t)(f).word[2])
#endif
#define LJ_CFRAME_SIZE 80
#define lj_cframe_raw(p) ((p) & ~3ul)

/// A Lua state as of the hit.
struct lj_seen {
    uint64_t L;     /// its address; 0 where there is none
    uint64_t base;  /// of the innermost function
    uint64_t stack; /// where its stack begins
    uint64_t start; /// the address of the first slot that was captured
    uint64_t cframe[LJ_CFRAMES];
};

/// The machine's `global_State`, and the code of its interpreter: known once `lj_frames_begin` has run.
uint64_t lj_frames_g;
uint64_t lj_frames_code;
uint64_t lj_frames_code_end;

// As of the hit.
struct lj_seen lj_seen_at[LJ_STATES];
struct lj_cframe lj_seen_frames[LJ_STATES][LJ_CFRAMES];
uint64_t lj_seen_sp;
uint64_t lj_seen_pc;
/// The trace that was running, or 0.
long lj_seen_trace;
/// Whether the last stack that was asked for has Lua functions.
int lj_seen_lua;

/// Looks for the machine, so that handlers can show its frames. `which` is as for `lj_find_main_state`. Gives whether there is one.
int lj_frames_begin(_str which)
{
    lua_State *L = lj_find_main_state(which);
    if (!L)
        return 0;
    global_State *g = G(L);
    GG_State *gg = G2GG(g);
    int entries = sizeof(gg->dispatch) / sizeof(gg->dispatch[0]);
    uint64_t low = -1;
    uint64_t high = 0;
    for (int i = 0; i < entries; i++) {
        uint64_t code = (uint64_t)gg->dispatch[i];
        if (!code)
            continue;
        if (code < low)
            low = code;
        if (code > high)
            high = code;
    }
    lj_frames_code = low;
    lj_frames_code_end = high + 2048;
    lj_frames_g = (uint64_t)g;
    return 1;
}

// Fields that the candidates of <luajit/layouts.y> leave out lie beside fields that they have.
#define lj_field_cframe(L) (*(uint64_t *)((char *)&(L)->stacksize - 8))
#define lj_field_jit_base(g) (*((MRef *)&(g)->ctype_state - 1))
##ifdeffield global_State str
#if LJ_GC64
#define lj_field_vmstate(g) (*(int32_t *)((char *)&(g)->mainthref - 8))
#else
#define lj_field_vmstate(g) (*(int32_t *)((char *)&(g)->mainthref - 4))
#endif
##else
#define lj_field_vmstate(g) (*(int32_t *)((char *)&(g)->gc + sizeof(GCState)))
##endif
#define lj_field_lineinfo(pt) (*((MRef *)&(pt)->uvinfo - 1))

/// Takes a copy of the frames and the stack of a state, whose innermost function has its slots at `base`.
void lj_see_state(int i, uint64_t L, uint64_t base, uint64_t cframe)
{
    lua_State *state = (lua_State *)L;
    uint64_t stack = mrefu(state->stack);
    uint64_t start = base - LJ_SLOTS * 8;
    if (start < stack)
        start = stack;
    lj_seen_at[i].base = base;
    lj_seen_at[i].stack = stack;
    lj_seen_at[i].start = start;
    lj_seen_at[i].cframe[0] = cframe;
    lj_seen_frames[i][0] = *(struct lj_cframe *)cframe;
    // What of it cannot be read is missed where it is looked at.
    _capture((void *)start, base - start, LJ_SLOTS * 8);
    lj_seen_at[i].L = L;
}

/// Takes a copy of the frames before the innermost one. Gives the outermost that was found.
uint64_t lj_see_cframes(int i, uint64_t cframe, int most)
{
    uint64_t last = cframe;
    uint64_t next = lj_cframe_raw(((struct lj_cframe *)cframe)->word[4]);
    for (int n = 1; n < most; n++) {
        if (next) {
            lj_seen_at[i].cframe[n] = next;
            lj_seen_frames[i][n] = *(struct lj_cframe *)next;
            last = next;
            next = lj_cframe_raw(((struct lj_cframe *)next)->word[4]);
        }
    }
    return last;
}

/// Takes a copy of what Lua frames of the hit are made of.
void lj_see(void)
{
    lj_seen_trace = 0;
    lj_seen_at[0].L = 0;
    lj_seen_at[1].L = 0;
    if (!lj_frames_g)
        return;
    global_State *g = (global_State *)lj_frames_g;
    uint64_t L = gcrefu(g->cur_L);
    if (!L)
        return;
    lua_State *state = (lua_State *)L;
    uint64_t sp = _reg("rsp");
    uint64_t pc = _reg("rip");
    uint64_t cframe = lj_cframe_raw(lj_field_cframe(state));
    lj_seen_sp = sp;
    // The machine may run on another thread, or not at all.
    if (cframe - sp > LJ_FAR)
        return;
    uint64_t base = (uint64_t)state->base;
    uint64_t jit_base = mrefu(lj_field_jit_base(g));
    int vmstate = lj_field_vmstate(g);
    if (jit_base && vmstate > 0) {
        // Compiled code does not keep `L->base`.
        base = jit_base;
        lj_seen_trace = vmstate;
    } else if (pc >= lj_frames_code && pc < lj_frames_code_end) {
        // Nor does the interpreter, which has it in rdx, and its position in rbx.
        uint64_t rdx = _reg("rdx");
        if (rdx > mrefu(state->stack) && rdx < mrefu(state->maxstack))
            base = rdx;
    }
    lj_seen_pc = 0;
    if (pc >= lj_frames_code && pc < lj_frames_code_end)
        lj_seen_pc = _reg("rbx");
    for (int n = 0; n < LJ_CFRAMES; n++) {
        lj_seen_at[0].cframe[n] = 0;
        lj_seen_at[1].cframe[n] = 0;
    }
    _try {
        lj_see_state(0, L, base, cframe);
        uint64_t last = lj_see_cframes(0, cframe, LJ_CFRAMES);
        // A coroutine that Lua code has resumed: the frame of whoever did lies right above.
        uint64_t back = lj_cframe_return(*(struct lj_cframe *)last);
        if (back >= lj_frames_code && back < lj_frames_code_end) {
            uint64_t outer = last + LJ_CFRAME_SIZE;
            uint64_t resumer = lj_cframe_L(*(struct lj_cframe *)outer);
            lj_see_state(1, resumer, (uint64_t)((lua_State *)resumer)->base, outer);
            lj_see_cframes(1, outer, 2);
        }
    } _catch (_fault f) {
        // What was seen before stands.
    }
}

/// What a Lua function or a trace was called in frames, and when that was read.
struct lj_told {
    _str text;
    long time;
};
struct lj_told lj_told_frames[uint64_t, uint64_t];
struct lj_told lj_told_traces[long];
/// No more of these are kept.
#define LJ_MOST_TOLD 50000

/// The line of a bytecode position, or 0.
_late int lj_line(GCproto *pt, uint64_t position)
{
    uint64_t lines = mrefu(lj_field_lineinfo(pt));
    if (!lines || position > pt->sizebc)
        return 0;
    if (position == pt->sizebc)
        return pt->firstline + pt->numline;
    if (position == 0)
        return pt->firstline;
    position--;
    if (pt->numline < 256)
        return pt->firstline + ((uint8_t *)lines)[position];
    if (pt->numline < 65536)
        return pt->firstline + ((uint16_t *)lines)[position];
    return pt->firstline + (int)((uint32_t *)lines)[position];
}

/// "cache.lua:40 (function at 12)", for a position in the bytecode, of which 0 is none.
_late _str lj_place_text(GCproto *pt, uint64_t position)
{
    _str file = lj_chunk_basename(proto_chunkname(pt));
    int line = position == ~0ul ? 0 : lj_line(pt, position);
    _str what = pt->firstline > 0 ? sprintf("function at %d", pt->firstline) : "main chunk";
    return line > 0 ? sprintf("%s:%d (%s)", file, line, what) : sprintf("%s (%s)", file, what);
}

/// Where a position in bytecode is in a prototype, or all ones. Positions on the stack are of the instruction after.
_late uint64_t lj_position(GCproto *pt, uint64_t pc)
{
    uint64_t position = (pc - (uint64_t)pt - sizeof(GCproto)) / LJ_INSTRUCTION - 1;
    return position < pt->sizebc ? position : ~0ul;
}

/// The frame of a Lua function at one of two positions; empty for C functions, whose frames are on the C stack.
_late _str lj_function_text(uint64_t function, uint64_t pc, uint64_t other)
{
    struct lj_told told = lj_told_frames[function, pc];
    long now = _now_ns();
    if (told.time && now - told.time < LJ_BELIEVED)
        return told.text;
    _str text = "(gone)";
    _try {
        GCfunc *fn = (GCfunc *)function;
        if (fn->c.gct == 8 && !isluafunc(fn)) {
            text = "";
        } else if (fn->c.gct == 8) {
            GCproto *pt = funcproto(fn);
            if (pt->gct == 7) {
                uint64_t position = lj_position(pt, pc);
                text = lj_place_text(pt, position == ~0ul ? lj_position(pt, other) : position);
            }
        }
    } _catch (_fault f) {
        text = "(gone)";
    }
    if (_elems(lj_told_frames) > LJ_MOST_TOLD)
        _clear(lj_told_frames);
    lj_told_frames[function, pc].text = text;
    lj_told_frames[function, pc].time = now;
    return text;
}

/// The frame of a trace: where it starts.
_late _str lj_trace_text(long number)
{
    struct lj_told told = lj_told_traces[number];
    long now = _now_ns();
    if (told.time && now - told.time < LJ_BELIEVED)
        return told.text;
    _str text = sprintf("[trace #%ld]", number);
    _try {
        jit_State *jit = G2J((global_State *)lj_frames_g);
        if (number < jit->sizetrace) {
            GCtrace *trace = (GCtrace *)gcref(jit->trace[number]);
            if (trace && trace->gct == 9) {
                GCproto *pt = &gcref(trace->startpt)->pt;
                if (pt->gct == 7)
                    text = lj_place_text(pt, lj_position(pt, mrefu(trace->startpc) + LJ_INSTRUCTION)) + " " + text;
            }
        }
    } _catch (_fault f) {
        // Its number is all that is known of it.
    }
    lj_told_traces[number].text = text;
    lj_told_traces[number].time = now;
    return text;
}

/// Whether a trace starts in a function.
_late int lj_traced_is(long number, uint64_t function)
{
    _try {
        jit_State *jit = G2J((global_State *)lj_frames_g);
        if (number >= jit->sizetrace)
            return 0;
        GCtrace *trace = (GCtrace *)gcref(jit->trace[number]);
        GCfunc *fn = (GCfunc *)function;
        return trace && isluafunc(fn) && (uint64_t)funcproto(fn) == (uint64_t)gcref(trace->startpt);
    } _catch (_fault f) {
        return 0;
    }
}

/// The pieces of the stack, from the hit outwards.
_path lj_pieces[];
/// Whether a stack went on beyond what was captured.
int lj_cut;

/// A word of a Lua stack as of the hit.
_late uint64_t lj_slot(int i, uint64_t address)
{
    if (address >= lj_seen_at[i].start && address + 8 <= lj_seen_at[i].base)
        _try {
            return *(uint64_t *)address;
        } _catch (_fault f) {
            // It was not in memory.
        }
    lj_cut = 1;
    return 0;
}

void lj_add_text(_str text)
{
    _path none;
    if (text != "")
        _push(lj_pieces, none / text);
}

/// Adds the C functions between two frames of the virtual machine.
void lj_add_between(int i, int c)
{
    struct lj_cframe frame = lj_seen_frames[i][c];
    _push(lj_pieces, _ubt_part(lj_seen_at[i].cframe[c + 1], lj_cframe_return(frame), lj_seen_at[i].cframe[c] + LJ_CFRAME_SIZE, lj_cframe_bp(frame)));
}

/// Whether there is a frame of the machine before the c-th.
int lj_has_outer(int i, int c)
{
    return c + 1 < LJ_CFRAMES && lj_seen_at[i].cframe[c + 1] != 0;
}

/// The first frame of the machine, from the c-th on, that is not one of a protected call from C that has no Lua frame at `f` yet.
int lj_past_protected(int i, int c, uint64_t f)
{
    while (lj_has_outer(i, c)) {
        int results = lj_cframe_nres(lj_seen_frames[i][c]);
        if (results >= 0 || f >= lj_seen_at[i].stack - (int64_t)results)
            return c;
        lj_add_between(i, c);
        c++;
    }
    return c;
}

/// Adds the frames of one state, from the innermost outwards, and the C functions among them. Gives the last frame of the machine.
_late int lj_add_state(int i)
{
    uint64_t f = lj_seen_at[i].base - 8;
    uint64_t bottom = lj_seen_at[i].stack + LJ_FR2 * 8;
    int c = lj_past_protected(i, 0, f);
    uint64_t pc = i == 0 && lj_seen_pc ? lj_seen_pc : lj_cframe_pc(lj_seen_frames[i][c]);
    uint64_t other = lj_cframe_pc(lj_seen_frames[i][c]);
    int left_out = 0;
    lj_cut = 0;
    for (int n = 0; f > bottom; n++) {
        uint64_t link = lj_slot(i, f);
#if LJ_GC64
        uint64_t function = lj_slot(i, f - 8) & LJ_GCVMASK;
        uint64_t link_pc = link;
#else
        uint64_t function = link & 0xfffffffful;
        uint64_t link_pc = link >> 32;
        link = (uint64_t)((int64_t)link >> 32);
#endif
        if (n >= LJ_MOST_FRAMES)
            lj_cut = 1;
        if (lj_cut)
            break;
        // States have a frame of their own at the bottom.
        if (!left_out && function != lj_seen_at[i].L) {
            _str text = lj_function_text(function, pc, other);
            if (n == 0 && i == 0 && lj_seen_trace) {
                _str trace = lj_trace_text(lj_seen_trace);
                lj_add_text(trace);
                // The function that compiled code began in is on the stack; those that it inlined are not.
                if (!lj_traced_is(lj_seen_trace, function))
                    lj_add_text(lj_function_text(function, 0, 0));
            } else {
                lj_add_text(text);
            }
        }
        left_out = 0;
        other = 0;
        uint64_t type = link & FRAME_TYPEP;
        if ((type & FRAME_TYPE) == 0) {
            pc = link_pc;
            uint32_t call = 0;
            _try {
                call = *(uint32_t *)(pc - LJ_INSTRUCTION);
            } _catch (_fault fault) {
                lj_cut = 1;
                break;
            }
            f -= (1 + LJ_FR2 + (uint64_t)(call >> 8 & 0xff)) * 8;
            continue;
        }
        int leaves = (type & FRAME_TYPE) == 1;
        pc = 0;
        if (type == 2) {
#if LJ_GC64
            leaves = lj_slot(i, f - 24) == LJ_CONT_FFI_CALLBACK;
            pc = lj_slot(i, f - 16);
#else
            leaves = (lj_slot(i, f - 8) & 0xfffffffful) == LJ_CONT_FFI_CALLBACK;
            pc = lj_slot(i, f - 8) >> 32;
#endif
        }
        // A function with a variable number of arguments has two frames.
        left_out = type == 3;
        uint64_t size = link & ~(uint64_t)FRAME_TYPEP;
        if (size == 0 || size > f - bottom)
            break;
        f -= size;
        if (leaves && f > bottom && lj_has_outer(i, c)) {
            lj_add_between(i, c);
            c = lj_past_protected(i, c + 1, f);
            if (!pc)
                pc = lj_cframe_pc(lj_seen_frames[i][c]);
        }
    }
    if (lj_cut)
        lj_add_text("(Lua frames cut)");
    while (lj_has_outer(i, c)) {
        lj_add_between(i, c);
        c++;
    }
    return c;
}

/// Puts the stack of the hit together.
_late _path lj_put_together(void)
{
    _clear(lj_pieces);
    _push(lj_pieces, _ubt_part(lj_seen_at[0].cframe[0], 0, 0, 0));
    int i = 0;
    int c = lj_add_state(0);
    if (lj_seen_at[1].L && lj_cframe_L(lj_seen_frames[1][0]) == lj_seen_at[1].L) {
        i = 1;
        c = lj_add_state(1);
    }
    struct lj_cframe outermost = lj_seen_frames[i][c];
    _path whole = _ubt_part(-1, lj_cframe_return(outermost), lj_seen_at[i].cframe[c] + LJ_CFRAME_SIZE, lj_cframe_bp(outermost));
    for (int n = _elems(lj_pieces) - 1; n >= 0; n--)
        whole = whole / lj_pieces[n];
    return whole;
}

/// The stack of the thread that was hit, the Lua functions among the C functions; without a machine, `_ubt()`.
_path lj_mixed_ubt(void)
{
    lj_see();
    lj_seen_lua = 0;
    // The machine has a frame on this very stack, of this very state.
    if (!lj_seen_at[0].L || lj_cframe_L(lj_seen_frames[0][0]) != lj_seen_at[0].L)
        return _ubt();
    lj_seen_lua = 1;
    return lj_put_together();
}

#endif
