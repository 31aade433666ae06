/// Says of addresses which objects of LuaJIT they lie in, and by which values these are reached, for `:what` at the prompt.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_WHAT_Y
#define LUAJIT_WHAT_Y

#define LJ_ON_PUSH lj_note_push

#include <glibc/blocks.y>
#include <luajit/owners.y>
#include <luajit/gc.y>

/// The objects that addresses lie in, with their extents, and under which frames the walk from the roots comes by them.
struct lj_found {
    uint64_t start, size;
    int node;
};
struct lj_found lj_found_objects[void *];
// For more objects the heap is not walked again to find out how they are reached.
#define LJ_MOST_PATHS 16

/// An object in words.
_str lj_object_text(GCobj *o, int gct)
{
    switch (gct) {
    case 4:
        return sprintf("string of %u bytes %s", o->str.len, _tostr_quoted(strdata(&o->str), o->str.len < 60 ? o->str.len : 60));
    case 5:
        return "upvalue";
    case 6:
        return "thread";
    case 7:
        return "prototype of function " + lj_proto_name(&o->pt);
    case 8:
        return isluafunc(&o->fn) ? "function " + lj_proto_name(funcproto(&o->fn)) : "C function";
    case 9:
        return sprintf("trace %u", (unsigned)gco2trace(o)->traceno);
    case 10:
        return "cdata " + lj_ctype_name(o->cd.ctypeid, 0);
    case 11:
        return sprintf("table with %u array and %u hash slots", o->tab.asize, o->tab.hmask > 0 ? o->tab.hmask + 1 : 0);
    case 12:
        return "userdata";
    }
    return "unknown object";
}

/// Says of a part of an object what it is.
void lj_say_part(GCobj *o, int gct, uint64_t start, uint64_t size, _str part)
{
    if (!prompt_is_asked(start, size))
        return;
    prompt_say(start, size, "Lua object", sprintf("%s%s at 0x%lx", part, lj_object_text(o, gct), (uint64_t)o));
    lj_found_objects[o] = (struct lj_found){ start, size, 0 };
}

void lj_on_claim(GCobj *o, int gct)
{
    uint64_t start = (uint64_t)o;
    uint64_t size = lj_object_size(o, gct);
    switch (gct) {
    case 6: {
        uint64_t bytes = (uint64_t)o->th.stacksize * sizeof(TValue);
        lj_say_part(o, gct, (uint64_t)tvref(o->th.stack), bytes, "stack of ");
        size = sizeof(lua_State);
        break;
    }
    case 10:
        if (cdataisv(&o->cd))
            start = (uint64_t)memcdatav(&o->cd);
        break;
    case 11:
        if (o->tab.asize > 0 && o->tab.colo <= 0) {
            uint64_t bytes = (uint64_t)o->tab.asize * sizeof(TValue);
            lj_say_part(o, gct, (uint64_t)tvref(o->tab.array), bytes, "array part of ");
            size -= bytes;
        }
        if (o->tab.hmask > 0) {
            uint64_t bytes = ((uint64_t)o->tab.hmask + 1) * sizeof(Node);
            lj_say_part(o, gct, (uint64_t)noderef(o->tab.node), bytes, "hash part of ");
            size -= bytes;
        }
        break;
    }
    lj_say_part(o, gct, start, size, "");
}

void lj_on_own_chunk(uint64_t p, uint64_t size, int used)
{
    if (!lj_showing && prompt_is_asked(p, size))
        prompt_say(p, size, "LuaJIT chunk", used ? "in use" : "free");
}

/// Notes by which frames an object is reached that was found.
void lj_note_push(void *o, int node)
{
    if (o in lj_found_objects)
        lj_found_objects[o].node = node;
}

/// Finds out how the objects are reached that were found.
void lj_say_paths(void)
{
    if (_count(lj_found_objects) == 0 || _count(lj_found_objects) > LJ_MOST_PATHS)
        return;
    struct lj_held held[_path];
    _foreach (g in lj_machines)
        lj_walk(g, 32, held);
    _foreach (o, found in lj_found_objects)
        if (found.node)
            prompt_say(found.start, found.size, "reached as", sprintf("%V", graph_node_path[found.node]));
}

void lj_what(void)
{
    if (!glibc_is_here())
        return;
    glibc_learn_owners();
    _foreach (g in lj_machines)
        lj_alloc_walk((struct lj_alloc_state *)g->allocd);
    _try {
        lj_say_paths();
    } _catch (_fault f) {
        _warn("how Lua objects are reached is not known: %s", f.message);
    }
}

#endif
