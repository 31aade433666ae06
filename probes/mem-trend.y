#!/usr/bin/env -S ytrace run
/// How the memory of a process changes: the kernel's figures and the allocators' own over time, and what grew in between, by who uses it.
///
/// The target is never stopped. A look costs a file of /proc and some words of the target; the table at the end compares what was in memory, page by page, at
/// the beginning and at the end. Ends after --duration, at Ctrl-C, or with the target.

#include <linux/users.y>

_mode live;

_option _str duration = "1m"; /// how long to look: 90s, 10m, 6h; "" for as long as nobody interrupts
_option int period = 1000;    /// milliseconds between two looks
_option int rows = 20;        /// how many users of memory are listed, those that changed most first

_view series "Memory, as the kernel counts it" "bytes"
long counted[_str];

_view series "Address space" "bytes"
long virtual;

_view series "Memory, as those who use it count it" "bytes"
long said[_str];

struct growth_row {
    _str used_by;
    long first_bytes, last_bytes, growth_bytes, per_minute_bytes;
};
_view table "Growth of what is in memory, by its user" ""
struct growth_row growth[];

/// What was resident or swapped at the beginning.
long first[_str];
long first_total, started, until;
// A look at what the kernel counts that did not come out.
long failed;
// How much was mapped when the mappings were taken, and how many looks followed the first.
long mapped, looks;

/// A duration in milliseconds: a number and ms, s, m, h or d. -1 if it is none.
long milliseconds(_str text)
{
    if (!(text ~~ rx/^([0-9]{1,9})(ms|s|m|h|d)$/))
        return -1;
    long n = _strtol($1);
    _str unit = $2;
    return unit == "ms" ? n : n * (unit == "s" ? 1000 : unit == "m" ? 60000 : unit == "h" ? 3600000l : 86400000l);
}

void set(_str name, _str field)
{
    long bytes = _process_bytes(field);
    if (bytes >= 0)
        counted[name] = bytes;
    else
        failed++;
}

/// What the allocators say that they have. Nothing is searched for: what was found at the beginning is asked.
void ask_users(void)
{
    if (_elems(glibc_arenas) > 0) {
        _try {
            glibc_list_arenas();
            said["glibc arenas"] = glibc_arenas_said();
            said["glibc mmapped"] = glibc_par->mmapped_mem;
        } _catch (_fault f) {
            failed++;
        }
    }
    _foreach (h in lj_heaps) {
        long objects = lj_counted(h);
        long segments = lj_segments_now(h);
        if (segments > 0)
            said[h.name + " segments"] = segments;
        if (objects >= 0)
            said[h.name + " objects"] = objects;
    }
    // What is mapped meanwhile is looked for only where anything was: it costs the kernel a walk of its page tables.
    if (virtual != mapped || users_zones_loaded < 0) {
        process_take_maps(0);
        mapped = virtual;
    }
    users_look_at_zones();
    _str zones = users_nginx() ? "nginx shm, loaded" : "shared memory, loaded";
    if (users_zones_loaded < 0)
        _delete said[zones];
    else if (users_zones > 0 || zones in said)
        said[zones] = users_zones_loaded;
}

void look(void)
{
    set("resident", "VmRSS");
    set("anonymous", "RssAnon");
    set("file", "RssFile");
    set("shared", "RssShmem");
    set("swapped", "VmSwap");
    virtual = _process_bytes("VmSize");
    ask_users();
}

/// What the kernel counts as resident and swapped.
long counted_now(void)
{
    long resident = _process_bytes("VmRSS");
    long swapped = _process_bytes("VmSwap");
    return resident < 0 ? -1 : resident + (swapped > 0 ? swapped : 0);
}

/// Divides what is in memory now among its users, by name.
void divide(long into[_str])
{
    users_claim();
    process_take_maps(0);
    process_divide();
    _foreach (p in process_parts)
        into[p.name] = p.resident + p.swapped;
    if (process_unknown > 0) {
        _warn("%ld mappings, or parts of one, that the kernel did not tell of: %hB of addresses", process_unknown, process_unknown_bytes);
        _assert_equal("bytes of addresses that the kernel did not tell of", process_unknown_bytes, 0);
    }
}

_probe _begin {
    long length = duration == "" ? 0 : milliseconds(duration);
    if (length < 0)
        _error("--duration takes a number and ms, s, m, h or d, not '%s'", duration);
    if (duration != "" && length == 0)
        _error("--duration takes more than nothing; \"\" is for as long as nobody interrupts");
    divide(first);
    started = _now_ms();
    until = length ? started + length : 0;
    look();
    first_total = counted["resident"] + counted["swapped"];
}

_probe _timer.ms(period) {
    look();
    looks++;
    if (until && _now_ms() >= until)
        _exit();
}

_probe _end {
    long last[_str];
    long now = _now_ms();
    // Where the target has gone, its last look stands, and who used what is not known any more.
    long before = counted_now();
    if (before > 0) {
        divide(last);
        look();
    }
    double minutes = (now - started) / 60000.0;
    struct growth_row list[];
    _foreach (name, bytes in last)
        if (bytes > 0 || first[name] > 0)
            _push(list, (struct growth_row){ name, first[name], bytes, bytes - first[name], minutes > 0 ? (long)((bytes - first[name]) / minutes) : 0 });
    _foreach (name, bytes in first)
        if (!(name in last) && _elems(last) > 0 && bytes > 0)
            _push(list, (struct growth_row){ name, bytes, 0, -bytes, minutes > 0 ? (long)(-bytes / minutes) : 0 });
    _sort(list _by (x.growth_bytes < 0 ? -x.growth_bytes : x.growth_bytes) _desc);
    _foreach (i, row in list)
        if (i < rows)
            _push(growth, row);

    long total = counted["resident"] + counted["swapped"];
    printf("resident and swapped %hB, %s%hB in %hT: %s%hB a minute\n", total, total >= first_total ? "+" : "", total - first_total, (now - started) * 1000000l,
           total >= first_total ? "+" : "", minutes > 0 ? (long)((total - first_total) / minutes) : 0l);
    if (_elems(last) > 0) {
        long sum = _sum(last);
        // Exact where the target does nothing; else by as much as it moved between two looks.
        long tolerance = (total > before ? total - before : before - total) + _counters_lag();
        printf("sum of its users = resident and swapped of the kernel, difference %hB; tolerance %hB: what it moved by meanwhile%s\n", sum - total, tolerance,
               _counters_lag() > 0 ? sprintf(", and %hB that the kernel's counters may lag", _counters_lag()) : "");
        _assert_equal("sum of its users = resident and swapped", sum, total, tolerance);
    } else {
        printf("who used it at the end is not known: the target had gone\n");
    }
    if (failed > 0)
        printf("%ld figures could not be had\n", failed);
    if (lj_unsearched > 0)
        printf("! %ld pages were not searched for LuaJIT's memory, after the first %d\n", lj_unsearched, LJ_PAGES_MOST);
    // A command that is looked at when it exits has no time left to grow in.
    _str words = _target_words();
    if (looks == 0 && _isprefix(words, "-c ") && !_contains(words, " --after ")) {
        printf("! one look alone, at the command's exit: with --after it is looked at while it runs\n");
        printf("next: ytrace run probes/mem-trend.y %s --after 1s\n", words);
        return;
    }
    _str next = "";
    _foreach (row in growth)
        if (next == "" && row.growth_bytes > 0)
            next = users_next_probe(row.used_by);
    printf("next: ytrace run probes/%s.y %s\n", next == "" ? "mem-breakdown" : next, _target_words());
}
