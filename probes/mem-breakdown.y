#!/usr/bin/env -S ytrace run
/// What the memory of a process is: which allocator has it, what is text, data, stacks, shared memory, machine code; by mappings, whatever the program is.
///
/// Each page is counted once, and the sum is held against the kernel's own figure. `private` is what no other process maps: what the machine would get back.
/// Workers share most of a master's heap until they write to it; `proportional` divides such pages among those that have them. The kernel gathers that
/// slowly, and holds up a process that maps memory meanwhile, so it is left out where much is resident, unless --pss yes asks for it.

#include <linux/users.y>
#include <linux/resident.y>

_mode live;

_option _str pss = "auto"; /// proportional shares: yes, no, or auto: where no more than 2 GB is resident
_option _Bool perl = true; /// tell Perl's values from what else glibc has: reads them all
_option int others = 40;   /// how many of the other mappings are listed, the biggest first

struct part_row {
    long resident_bytes, private_bytes;
    long swap_bytes, virtual_bytes;
};
// Empty for a core file, which does not tell what was in memory.
_view pie "Resident memory by its user" "bytes"
struct part_row parts[_str];

// By state; of a core file by user.
_view pie "Address space" "bytes"
long states[_str];

struct other_row {
    _str mapping, kind;
    long mappings;
    double resident_bytes, private_bytes, swap_bytes;
    long virtual_bytes;
    double loaded_bytes; // of shared memory, whoever has touched it; UNKNOWN where the kernel does not tell
};
_view table "Other mappings by name" ""
struct other_row named[];

struct share_row {
    _str used_by;
    long pss_bytes;
};
// Empty where they were not asked for.
_view table "Proportional shares" ""
struct share_row shares[];

#define PSS_LIMIT (2l << 30)

struct other_row by_name[_str];
_str kind_name(int kind)
{
    switch (kind) {
    case PROCESS_JIT: return "machine code";
    case PROCESS_SHARED:
    case PROCESS_ZEROES: return "shared";
    case PROCESS_FILE: return "file";
    case PROCESS_HUGE: return "hugetlb";
    case PROCESS_ANON: return "anonymous";
    }
    return "other";
}

// Pages of hugetlbfs, which are no part of what the kernel calls resident.
long huge;

long smallest(long a, long b, long c)
{
    long least = a < b ? a : b;
    return least < c ? least : c;
}

/// A figure of pages, which a core file does not have.
double known(long bytes)
{
    return _is_live() ? (double)bytes : UNKNOWN;
}

void process_on_rest(struct process_map m)
{
    if (m.kind == PROCESS_TEXT || m.kind == PROCESS_DATA || m.kind == PROCESS_STACK || m.kind == PROCESS_RESERVED)
        return;
    _str name = m.file == "" ? "(no name)" : m.file;
    _str key = kind_name(m.kind) + " " + name;
    struct other_row row = by_name[key];
    row.mapping = name;
    row.kind = kind_name(m.kind);
    row.mappings++;
    row.resident_bytes += known(m.resident + m.huge);
    row.private_bytes += known(m.unshared);
    row.swap_bytes += known(m.swapped);
    row.virtual_bytes += m.end - m.start;
    if (m.kind == PROCESS_SHARED || m.kind == PROCESS_ZEROES) {
        long loaded = process_object_bytes(key, m);
        row.loaded_bytes += loaded < 0 ? UNKNOWN : (double)loaded;
    }
    by_name[key] = row;
}

/// What else is to be said of the parts.
void say_more(void)
{
    users_look_at_zones();
    if (users_zones > 0 && users_nginx())
        printf("nginx shm: %s; %s of %hB in %ld mappings\n", _is_live() ? sprintf("%hB touched here", parts["nginx shm"].resident_bytes) : "unknown how much was touched here",
               users_zones_loaded < 0 ? _is_live() ? "not known how much is loaded (that takes root, or CAP_CHECKPOINT_RESTORE)" : "unknown how much was loaded" : sprintf("loaded %hB", users_zones_loaded), users_zones_size, users_zones);
    _foreach (h in lj_heaps) {
        long counted = lj_counted(h);
        printf("%s: %s%hB in segments, %hB in %ld large blocks\n", h.name, counted < 0 ? "" : sprintf("objects %hB; ", counted), h.segments_bytes, h.large_bytes,
               h.large_blocks);
    }
    _foreach (name in lj_foreign)
        printf("%s has another allocator than its own: what it holds is in the other parts\n", name);
##ifdefvar PL_curinterp
    if (users_perl_known) {
        printf("Perl: %hB of blocks in glibc's arenas; %ld interpreter%s\n", perl_share_bytes, perl_share_interpreters, perl_share_interpreters == 1 ? "" : "s");
        if (_is_live())
            printf("≈ what of Perl and of glibc's arenas is resident, private or swapped: pages there hold blocks of both, and are divided by the bytes of blocks\n");
        if (users_perl_excess > 0)
            printf("  %hB of Perl's blocks are neither in memory nor on swap\n", users_perl_excess);
        if (perl_faults > 0)
            _warn("%ld of Perl's values or lists could not be read to their end: some of it is with glibc's", perl_faults);
    } else {
        puts("Perl's values are with what glibc has: probes/perl-gc-stats.y tells them apart");
    }
##endif
    if (users_excluded != "")
        printf("%s: told by exclusion, anonymous memory that nobody else here has\n", users_excluded);
    else if (_elems(glibc_ranges) == 0)
        printf("no heap of glibc's that makes sense: none was made yet, or there is musl, another allocator, or a layout that is not known\n");
    if (huge > 0)
        printf("hugetlb pages: %hB, which the kernel does not count as resident, nor do the parts\n", huge);
    if (lj_unsearched > 0)
        printf("! %ld pages were not searched for LuaJIT's memory, after the first %d: what it has there is with the anonymous memory\n", lj_unsearched, LJ_PAGES_MOST);
    if (process_stacks_missing > 0)
        printf("! the stacks of %ld threads that run were not found: they are with the anonymous memory\n", process_stacks_missing);
    if (glibc_broken > 0)
        _warn("%ld lists of glibc's heap lead to what cannot be: its parts may be incomplete", glibc_broken);
    if (_elems(glibc_ranges) > 0 && !glibc_mapped_agrees())
        _warn("blocks that glibc mapped: found %hB in %ld, it counts %hB in %d; what is missing is with the anonymous memory", glibc_blocks_bytes,
              _elems(glibc_blocks), (long)glibc_par->mmapped_mem, glibc_par->n_mmaps);
}

_probe _oneshot {
    if (pss != "yes" && pss != "no" && pss != "auto")
        _error("--pss takes auto, yes or no, not '%s'", pss);
    long before = _process_bytes("VmRSS");
    int proportional = pss == "yes" || (pss == "auto" && before >= 0 && before <= PSS_LIMIT);

    // Who has what; then how much of it is in memory: the figures come last, and one after another.
    users_count_perl = perl;
    users_claim();
    long begun = before;
    before = _process_bytes("VmRSS");
    process_take_maps(proportional);
    process_divide();
    users_split_perl();
    long after = _process_bytes("VmRSS");
    long most = _process_bytes("VmHWM");

    struct process_sum all;
    _foreach (p in process_parts) {
        all.size += p.size;
        all.resident += p.resident;
        all.unshared += p.unshared;
        all.proportional += p.proportional;
        all.swapped += p.swapped;
        if (p.resident > 0 || p.swapped > 0)
            parts[p.name] = (struct part_row){ p.resident, p.unshared, p.swapped, p.size };
        if (!_is_live() && p.size > 0)
            states[p.name] = p.size;
    }
    if (_is_live()) {
        // Pages that were written to before their mapping lost its permissions are in memory like others.
        struct process_sum closed = process_parts[process_part("reserved")];
        long reserved = closed.size - closed.resident - closed.swapped;
        _foreach (m in process_maps)
            huge += m.huge;
        if (huge > 0)
            states["hugetlb pages"] = huge;
        states["resident"] = all.resident;
        if (all.swapped > 0)
            states["swapped"] = all.swapped;
        states["not in memory"] = all.size - all.resident - all.swapped - huge - reserved;
        if (reserved > 0)
            states["reserved, not accessible"] = reserved;
    }
    struct other_row more;
    long rows = 0;
    _foreach (name, row in by_name _by (_is_live() ? row.resident_bytes : (double)row.virtual_bytes) _desc) {
        if (rows++ < others) {
            _push(named, row);
            continue;
        }
        more.mappings += row.mappings;
        more.resident_bytes += row.resident_bytes;
        more.private_bytes += row.private_bytes;
        more.swap_bytes += row.swap_bytes;
        more.virtual_bytes += row.virtual_bytes;
        more.loaded_bytes += row.loaded_bytes;
    }
    if (rows > others) {
        more.mapping = sprintf("… %ld more", rows - others);
        _push(named, more);
    }

    if (proportional && _is_live())
        _foreach (p in process_parts)
            if (p.resident > 0)
                _push(shares, (struct share_row){ p.name, p.proportional });
    _sort(shares _by x.pss_bytes _desc);

    long usage = _cgroup_bytes("usage");
    long limit = _cgroup_bytes("limit");
    if (!_is_live())
        printf("virtual %hB; how much of it was in memory a core file does not tell: the parts are sizes of addresses\n", all.size);
    else
        printf("virtual %hB  resident %hB%s  private %hB  %s  swap %hB%s%s\n", all.size, all.resident, most > after ? sprintf(" (peak %hB)", most) : "", all.unshared,
               proportional ? sprintf("PSS %hB", all.proportional) : "PSS not asked for (--pss yes)", all.swapped,
               usage >= 0 ? sprintf("  cgroup %hB", usage) : "", limit >= 0 ? sprintf(" of %hB", limit) : "");
    if (after >= 0) {
        // Exact where the process does nothing; else by as much as its resident size has moved between the looks at it.
        long low = smallest(begun, before, after);
        long high = -smallest(-begun, -before, -after);
        long tolerance = high - low + _counters_lag();
        printf("sum of parts = VmRSS of the kernel, difference %hB; tolerance %hB: what it moved by meanwhile%s\n", all.resident - after, tolerance,
               _counters_lag() > 0 ? sprintf(", and %hB that the kernel's counters may lag", _counters_lag()) : "");
        _assert_equal("sum of parts = VmRSS", all.resident, after, tolerance);
    }
    if (process_unknown > 0) {
        _warn("%ld mappings, or parts of one, that the kernel did not tell of: %hB of addresses", process_unknown, process_unknown_bytes);
        _assert_equal("bytes of addresses that the kernel did not tell of", process_unknown_bytes, 0);
    }
    say_more();

    _str biggest = "";
    _foreach (name, part in parts _by part.resident_bytes _desc _limit 1)
        biggest = name;
    if (!_is_live())
        _foreach (name, bytes in states _by bytes _desc _limit 1)
            biggest = name;
    _str next = users_next_probe(biggest);
    if (next != "" || _is_live())
        printf("next: ytrace run probes/%s.y %s\n", next == "" ? "mem-trend" : next, _target_words());
}
