#!/usr/bin/env -S ytrace run
/// Which Perl values hold the memory of an interpreter, as a flame graph of references.
///
/// Each value is counted once, with its buffers, under its shortest chain of references: `%My::Cache::` `$My::Cache::cache` `{by_serial}` is what the package
/// variable `$cache` keeps in its field `by_serial`; `closure Session.pm:57` `my $self` is what a closure has captured. Weak references keep nothing
/// alive. Values that nothing reaches stand under `(unreachable)`: cycles, which reference counts never free, and what only C code holds.
/// Choose the width with `--weight bytes|count|objects`.

#include <perl/vm.y>
#include <perl/gc.y>
#include <perl/heap.y>
#include <linux/resident.y>

_option int depth = 64;          /// deepest reference chain that is drawn
_option int fold = 32;           /// hashes and arrays with more alike keys than this show them as one frame
_option _Bool show_keys = false; /// show keys that are data (host names, serial numbers, …) instead of folding them
_option int interpreter = 0;     /// which interpreter, of those found; 0 for all of them

_view flamegraph "Perl values by reference" "bytes"
struct perl_held held[_path];

_probe _oneshot {
    perl_need_interpreters();
    long interpreters = _elems(perl_interpreters);
    if (interpreter < 0 || interpreter > interpreters)
        _error("--interpreter takes 1 to %ld here, or 0 for all", interpreters);
    perl_fold = fold < 1 ? 1 : fold;
    perl_show_keys = show_keys;
    graph_max_depth = depth < 1 ? 1 : depth;
    long counted = 0;
    _foreach (i, p in perl_interpreters) {
        if (interpreter && interpreter != i + 1)
            continue;
        _str frame = "";
        if (interpreters > 1 && !interpreter)
            frame = sprintf("interpreter %ld%s", i + 1, perl_threads[i] ? sprintf(" (thread %ld)", perl_threads[i]) : "");
        perl_walk_interpreter(p, frame, i);
        counted += p->Isv_count;
    }
    perl_frames_into(held);

    long resident = resident_bytes();
    _str share = resident_share(perl_total_bytes, resident);
    if (resident >= 0 && 5.0 * perl_total_bytes < resident)
        printf("ONLY %s is Perl's\n", share);
    printf("Perl %hB   %s   %s\n", perl_total_bytes, share, interpreters == 1 ? "1 interpreter" : sprintf("%ld interpreters", interpreters));
    printf("%s values on %s chains = PL_sv_count, difference %ld   %s objects\n", graph_thousands(perl_total_values), graph_thousands(_count(held)),
           counted - perl_total_values, graph_thousands(perl_total_objects));
    if (perl_unreachable_values > 1000 || perl_cycles > 0)
        printf("! %s values, %hB, are reached by nothing: below %s cycles, which are never freed, and %s values that C code may hold\n",
               graph_thousands(perl_unreachable_values), perl_unreachable_bytes, graph_thousands(perl_cycles), graph_thousands(perl_starts - perl_cycles));
    perl_say_heap();
    _assert_equal("values walked, PL_sv_count", perl_total_values, counted);
    perl_say_faults();
    printf("next: ytrace run probes/perl-gc-stats.y %s\n", _target_words());
}
