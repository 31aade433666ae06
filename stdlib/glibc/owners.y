/// Whose the blocks of glibc's malloc are: nginx's pools by kind, Perl's, Lua's. A registry that the libraries of these programs fill where they are present; what
/// nobody claims has no owner.
///
/// A probe calls `glibc_find_owners()` before its walk. On the way, blocks in use are handed to `glibc_look_at_chunk`, by hooks that the probe shares:
///
///     void glibc_on_used(uint64_t p, uint64_t size)
///     {
///         if (glibc_looking_for_owners)
///             glibc_look_at_chunk(p, 0);
///         else
///             draw(p, size, glibc_owner(p));
///     }
///
/// A program's library has a file `owners.y` with a function that claims blocks, called below.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_OWNERS_Y
#define GLIBC_OWNERS_Y

#include <glibc/result.y>

/// What owners are called, by number. The first stands for what nobody has claimed.
_str glibc_owner_names[] = { "" };
/// The owners of chunks, by where these begin.
uint8_t glibc_owner_of[uint64_t];
/// No more blocks are claimed than this, nor owners; and what was left out.
#define GLIBC_MOST_CLAIMS 20000000
#define GLIBC_MOST_OWNERS 64
long glibc_claims_left_out;

/// Whether the walk at hand is one that looks for owners.
int glibc_looking_for_owners;
/// Why the owners of a program that is here are not known: a line for each.
_str glibc_owners_unknown[];

/// The number of an owner; a new one for a new name.
int glibc_owner_number(_str name)
{
    _foreach (i, known in glibc_owner_names)
        if (known == name)
            return i;
    if (_elems(glibc_owner_names) >= GLIBC_MOST_OWNERS)
        return 0;
    _push(glibc_owner_names, name);
    return _elems(glibc_owner_names) - 1;
}

/// Claims a block, by the address that malloc gave. Who claims it last, has it. Addresses of no block do no harm.
void glibc_claim(void *block, int owner)
{
    if (!glibc_pointer(block))
        return;
    if (_count(glibc_owner_of) >= GLIBC_MOST_CLAIMS)
        glibc_claims_left_out++;
    else
        glibc_owner_of[(uint64_t)mem2chunk(block)] = owner;
}

/// The owner of a chunk, or 0.
#define glibc_owner(p) (glibc_owner_of[p])

/// Whether anything is claimed.
#define glibc_owners_known() (_elems(glibc_owner_names) > 1)

/// Called for memory of an owner's own allocator, beside malloc's, in the order of addresses, by `glibc_show_beside`.
__attribute__((weak)) void glibc_on_beside(uint64_t p, uint64_t size, int used, int owner) { }

// The programs that claim blocks. Where one is here whose types are not known, the others go on without it: their layouts' checks ask for this.
// `GLIBC_HAS_OWNERS` is defined if one is here.
#define LAYOUTS_ARE_OPTIONAL
##ifdefvar ngx_cycle
#define GLIBC_HAS_OWNERS
#include <nginx/owners.y>
##endif
##ifdeffunc luaJIT_setmode
#define GLIBC_HAS_OWNERS
#include <luajit/owners.y>
##endif
##ifdefvar PL_op_name
#define GLIBC_HAS_OWNERS
#include <perl/owners.y>
##endif

/// Takes a chunk in use, or a block that is mapped directly, while owners are looked for.
void glibc_look_at_chunk(uint64_t p, int mapped)
{
##ifdefvar ngx_cycle
    ngx_take_chunk(p, mapped);
##endif
}

/// Says why a program's blocks are not known.
void glibc_owner_missing(_str what, _str why)
{
    _push(glibc_owners_unknown, sprintf("%s: whose blocks are is not known: %s", what, why));
}

/// Lets every program that is here claim its blocks.
void glibc_find_owners(void)
{
    glibc_looking_for_owners = 1;
##ifdefvar PL_op_name
    _try {
        perl_claim_blocks();
    } _catch (_fault f) {
        glibc_owner_missing("Perl", f.message);
    }
##endif
##ifdeffunc luaJIT_setmode
    _try {
        lj_claim_blocks();
    } _catch (_fault f) {
        glibc_owner_missing("LuaJIT", f.message);
    }
##endif
##ifdefvar ngx_cycle
    _try {
        ngx_claim_blocks();
    } _catch (_fault f) {
        glibc_owner_missing("nginx", f.message);
    }
##endif
    glibc_looking_for_owners = 0;
}

/// Gives what owners have beside malloc to `glibc_on_beside`.
void glibc_show_beside(void)
{
##ifdeffunc luaJIT_setmode
    _try {
        lj_show_segments();
    } _catch (_fault f) {
        glibc_owner_missing("LuaJIT", f.message);
    }
##endif
}

/// What is not known of owners, in lines.
void glibc_say_owners(void)
{
    _foreach (line in glibc_owners_unknown)
        puts(line);
    if (glibc_claims_left_out > 0)
        _warn("%s blocks have an owner that is not shown: more than %s were claimed", glibc_thousands(glibc_claims_left_out), glibc_thousands(GLIBC_MOST_CLAIMS));
}

#endif
