/// Who uses the memory of a process: glibc's malloc, LuaJIT's allocator, nginx's shared memory, threads' stacks; other allocators by exclusion. Works for any
/// process: what is not there, or not known, is left out.
///
///     #include <linux/users.y>  // before anything of glibc's
///     users_claim();              // who has what
///     process_take_maps(0);       // how much of it is in memory now
///     process_divide();           // fills `process_parts`

#ifndef LINUX_USERS_Y
#define LINUX_USERS_Y

// A process without glibc's malloc, or with one of an unknown layout, is no error here.
#ifndef LAYOUTS_ARE_OPTIONAL
#define LAYOUTS_ARE_OPTIONAL
#endif

#include <linux/maps.y>
#include <linux/stacks.y>
#include <glibc/ranges.y>
#include <luajit/regions.y>
##ifdefvar PL_curinterp
#include <perl/share.y>
##endif

/// Allocators and runtimes that take anonymous memory themselves, by their functions: what they have cannot be told from the outside, but by exclusion. "" for
/// none.
_str users_allocator(void)
{
    _str names = "";
##ifdeffunc mallctl
    names = names + ", jemalloc";
##elifdeffunc je_mallctl
    names = names + ", jemalloc";
##endif
##ifdeffunc mi_malloc
    names = names + ", mimalloc";
##endif
##ifdeffunc MallocExtension_ReleaseFreeMemory
    names = names + ", tcmalloc";
##endif
##ifdeffunc Py_Initialize
    names = names + ", Python objects";
##endif
##ifdeffunc JNI_CreateJavaVM
    names = names + ", Java";
##endif
##ifdeffunc _emalloc
    names = names + ", PHP";
##endif
    return names == "" ? "" : _substr(names, 2, _len(names));
}
/// The same, once `users_claim` has asked.
_str users_excluded;

int users_nginx(void)
{
##ifdefvar ngx_cycle
    return 1;
##else
    return 0;
##endif
}

int users_perl(void)
{
##ifdefvar PL_curinterp
    return 1;
##else
    return 0;
##endif
}

/// The part of what nobody claims: by its kind, and by what this process's programs are known to have.
int process_part_of(struct process_map m)
{
    switch (m.kind) {
    case PROCESS_TEXT: return process_part("text");
    case PROCESS_DATA: return process_part("data");
    case PROCESS_STACK: return process_part("stack, main thread");
    case PROCESS_JIT: return process_part("JIT machine code");
    case PROCESS_SHARED: return process_part("shared memory");
    case PROCESS_ZEROES: return process_part(users_nginx() ? "nginx shm" : "shared memory");
    case PROCESS_FILE: return process_part("mapped files");
    case PROCESS_HUGE: return process_part("hugetlb pages");
    case PROCESS_OTHER: return process_part("other");
    case PROCESS_RESERVED: return process_part("reserved");
    }
    return process_part(users_excluded == "" ? "anonymous, unknown allocator" : users_excluded);
}

// Each allocator's search goes on behind what is known to be another's.
uint64_t glibc_others_until(uint64_t p, uint64_t end)
{
    return lj_region_at(p, end, -1);
}

uint64_t lj_other_until(uint64_t p)
{
    // Mappings may be cut anywhere in a range.
    long i = glibc_range_at(p);
    return i < 0 ? 0 : glibc_ranges[i].end;
}

/// Shared memory without a name: what the kernel holds of it, whoever has touched it; -1 where that may not be seen.
long users_zones, users_zones_size, users_zones_loaded;
void users_look_at_zones(void)
{
    users_zones = 0;
    users_zones_size = 0;
    users_zones_loaded = 0;
    _clear(process_objects);
    _foreach (m in process_maps) {
        if (m.kind != PROCESS_ZEROES)
            continue;
        users_zones++;
        users_zones_size += m.end - m.start;
        long loaded = process_object_bytes("zones", m);
        users_zones_loaded = loaded < 0 || users_zones_loaded < 0 ? -1 : users_zones_loaded + loaded;
    }
}

/// The next probe to run, by what has most, or grows most.
_str users_next_probe(_str biggest)
{
    if (biggest == "Perl" || (_isprefix(biggest, "glibc") && users_perl() && !users_perl_known))
        return "perl-gc-stats";
    if (_isprefix(biggest, "glibc"))
        return "glibc-verdict";
    if (_isprefix(biggest, "LuaJIT"))
        return "lua-gc-fgraph";
    if (biggest == "nginx shm")
        return "ngx-shm";
    return "";
}

/// Whether Perl's values are told from what else is in glibc's arenas, which takes reading them all; and whether that came out.
int users_count_perl;
int users_perl_known;
/// Bytes of Perl's blocks that are neither in memory nor on swap.
long users_perl_excess;

/// After `process_divide`: gives Perl its part of the arenas, since pages there are shared with others. Its size is what its blocks are. What of them is in
/// memory, and on swap, is an estimate: blocks that are in use are taken to be in one or the other, as all of the arenas is, and never more than is there.
void users_split_perl(void)
{
##ifdefvar PL_curinterp
    if (!users_perl_known)
        return;
    int arena = process_part("glibc arena");
    struct process_sum all = process_parts[arena];
    long size = perl_share_bytes < all.size ? perl_share_bytes : all.size;
    long there = all.resident + all.swapped;
    users_perl_excess = _is_live() && perl_share_bytes > there ? perl_share_bytes - there : 0;
    double share = there <= 0 ? 0 : perl_share_bytes < there ? (double)perl_share_bytes / there : 1;
    long resident = (long)(all.resident * share), unshared = (long)(all.unshared * share);
    long proportional = (long)(all.proportional * share), swapped = (long)(all.swapped * share);
    process_add(arena, -size, -resident, -unshared, -proportional, -swapped);
    process_add(process_part("Perl"), size, resident, unshared, proportional, swapped);
##endif
}

/// Finds out who has what of the address space, as of now.
void users_claim(void)
{
    process_take_maps(0);
    users_excluded = users_allocator();
    process_forget();
    lj_forget();
    lj_find_heaps();
    glibc_find_ranges();
##ifdefvar PL_curinterp
    users_perl_known = users_count_perl && perl_count_share();
##endif
    int arena = process_part("glibc arena");
    int mapped = process_part("glibc mmapped");
    _foreach (r in glibc_ranges)
        process_claim(r.start, r.end, r.arena == GLIBC_RANGE_PERL ? process_part("Perl") : r.arena < 0 ? mapped : arena);
    lj_find_large_blocks();
    _foreach (r in lj_regions)
        process_claim(r.start, r.end, process_part(lj_heaps[r.heap].name));
    process_claim_stacks(process_part("stack, main thread"), process_part("stacks, threads"), process_part("stacks, of no thread"));
}

#endif
