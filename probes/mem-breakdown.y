#!/usr/bin/env -S ytrace run
/// What the memory of a process is: which allocator has it, what is text, data, stacks, shared memory, machine code; by mappings, whatever the program is.
///
/// Each page is counted once, and the sum is held against the kernel's own figure. `private` is what no other process maps: what the machine would get back.
/// Workers share most of a master's heap until they write to it; `proportional` divides such pages among those that have them. The kernel gathers that
/// slowly, and holds up a process that maps memory meanwhile, so it is left out where much is resident, unless --pss yes asks for it.

#include <process/users.y>

_mode live;

_option _str pss = "auto"; /// proportional shares: yes, no, or auto: where no more than 2 GB is resident
_option int others = 40;   /// how many of the other mappings are listed, the biggest first

struct part_row {
    long resident_bytes, private_bytes, pss_bytes, swap_bytes, virtual_bytes;
};
_view pie "Resident memory by its user" "bytes"
struct part_row parts[_str];

_view pie "Address space" "bytes"
long states[_str];

struct other_row {
    _str mapping, kind;
    long mappings, resident_bytes, private_bytes, swap_bytes, virtual_bytes;
    long loaded_bytes; // of shared memory, whoever has touched it; -1 where that is not known
};
_view table "Other mappings by name" ""
struct other_row named[];

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

// What is resident and is no part of the kernel's figure.
long beside;

void process_on_rest(struct process_map m)
{
    if (m.kind == PROCESS_HUGE)
        beside += m.resident;
    if (m.kind == PROCESS_TEXT || m.kind == PROCESS_DATA || m.kind == PROCESS_STACK || m.kind == PROCESS_RESERVED)
        return;
    _str name = m.file == "" ? "(no name)" : m.file;
    struct other_row row = by_name[name];
    row.mapping = name;
    row.kind = kind_name(m.kind);
    row.mappings++;
    row.resident_bytes += m.resident;
    row.private_bytes += m.unshared;
    row.swap_bytes += m.swapped;
    row.virtual_bytes += m.end - m.start;
    if (m.kind == PROCESS_SHARED || m.kind == PROCESS_ZEROES) {
        long loaded = _object_bytes((void *)m.start);
        row.loaded_bytes = loaded < 0 || row.loaded_bytes < 0 ? -1 : row.loaded_bytes + loaded;
    }
    by_name[name] = row;
}

/// What else is to be said of the parts.
void say_more(void)
{
    users_look_at_zones();
    if (users_zones > 0 && users_nginx())
        printf("nginx shm: %hB touched here; %s of %hB in %ld mappings\n", parts["nginx shm"].resident_bytes,
               users_zones_loaded < 0 ? "not known how much is loaded (that takes root, or CAP_CHECKPOINT_RESTORE)" : sprintf("loaded %hB", users_zones_loaded), users_zones_size, users_zones);
    _foreach (h in lj_heaps) {
        long counted = lj_counted(h);
        printf("%s: %s%hB in segments, %hB in %ld large blocks\n", h.name, counted < 0 ? "" : sprintf("objects %hB; ", counted), h.segments_bytes, h.large_bytes,
               h.large_blocks);
    }
    _foreach (name in lj_foreign)
        printf("%s has another allocator than its own: what it holds is in the other parts\n", name);
    if (users_perl() && "glibc arena" in parts)
        printf("Perl's values lie in what is glibc's here: probes/perl-gc-stats.y tells them apart\n");
    if (users_excluded != "")
        printf("%s: told by exclusion, anonymous memory that nobody else here has\n", users_excluded);
    else if (_elems(glibc_ranges) == 0)
        printf("no heap of glibc's that makes sense: musl, another allocator, or one of a layout that is not known\n");
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
    users_claim();
    before = _process_bytes("VmRSS");
    process_take_maps(proportional);
    process_divide();
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
            parts[p.name] = (struct part_row){ p.resident, p.unshared, p.proportional, p.swapped, p.size };
    }
    states["resident"] = all.resident;
    if (all.swapped > 0)
        states["swapped"] = all.swapped;
    long reserved = process_parts[process_part("reserved")].size;
    states["not in memory"] = all.size - all.resident - all.swapped - reserved;
    if (reserved > 0)
        states["reserved, not accessible"] = reserved;
    _foreach (name, row in by_name _by row.resident_bytes _desc _limit others)
        _push(named, row);

    long usage = _cgroup_bytes("usage");
    long limit = _cgroup_bytes("limit");
    printf("virtual %hB  resident %hB%s  private %hB  %s  swap %hB%s%s\n", all.size, all.resident, most > after ? sprintf(" (peak %hB)", most) : "", all.unshared,
           proportional ? sprintf("PSS %hB", all.proportional) : "PSS not asked for (--pss yes)", all.swapped,
           usage >= 0 ? sprintf("  cgroup %hB", usage) : "", limit >= 0 ? sprintf(" of %hB", limit) : "");
    if (after >= 0) {
        long sum = all.resident - beside;
        // What the process did meanwhile, and how far the kernel's own counters may lag: up to 6.16 they are kept for each processor.
        long lag = after / 200 > 1l << 20 ? after / 200 : 1l << 20;
        long tolerance = (after > before ? after - before : before - after) + lag;
        printf("sum of parts = VmRSS of the kernel, difference %hB\n", sum - after);
        _assert_equal("sum of parts = VmRSS", sum, after, tolerance);
    } else {
        printf("how much of it is in memory is not known here\n");
    }
    say_more();

    _str biggest = "";
    _foreach (name, part in parts _by part.resident_bytes _desc _limit 1)
        biggest = name;
    _str next = users_next_probe(biggest);
    printf("next: ytrace run probes/%s.y -p %ld\n", next == "" ? "mem-trend" : next, _pid());
}
