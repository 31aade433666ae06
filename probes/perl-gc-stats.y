#!/usr/bin/env -S ytrace run
/// What a Perl interpreter's memory is: its values by type and by class, its strings by size, and all that is no value: optrees, pads, the string table,
/// stacks, streams, free slots.
///
/// All values of the arenas are looked at, whether anything refers to them or not; `perl-gc-fgraph` tells what keeps them. A value's bytes are its head, its
/// body and the blocks that it owns itself: a hash with its entries and keys, not with its values.

#include <perl/vm.y>
#include <perl/stats.y>
#include <perl/heap.y>
#include <linux/resident.y>

_option int most = 30;       /// how many classes are shown
_option int interpreter = 0; /// which interpreter, of those found; 0 for all of them together

_view table "Perl values by type" "bytes"
struct perl_type_row perl_types[];

_view table "Perl objects by class" "bytes"
struct perl_class_row perl_classes[];

_view table "Perl memory that is no value" "bytes"
struct perl_rest_row perl_rest[];

_view histogram "Perl strings by size" "bytes"
_agg perl_strings;

_probe _oneshot {
    perl_need_interpreters();
    long interpreters = _elems(perl_interpreters);
    if (interpreter < 0 || interpreter > interpreters)
        _error("--interpreter takes 1 to %ld here, or 0 for all", interpreters);
    long counted = 0;
    _foreach (i, p in perl_interpreters) {
        if (interpreter && interpreter != i + 1)
            continue;
        _try {
            perl_count_interpreter(p, perl_strings);
        } _catch (_fault f) {
            perl_count_fault(f);
        }
        counted += p->Isv_count;
    }
    perl_count_into(perl_types, perl_classes, perl_rest, most);

    long total = perl_total_bytes();
    printf("Perl %hB in %s values and beside them   %s   %s\n", total, graph_thousands(perl_values), resident_share(total, resident_bytes()),
           interpreters == 1 ? "1 interpreter" : sprintf("%ld interpreters%s", interpreters, interpreter ? sprintf(", number %d shown", interpreter) : ""));
    printf("%s objects of %s classes, %hB of strings, %hB of subs' optrees, %hB in the string table\n", graph_thousands(perl_objects),
           graph_thousands(perl_classes_found), _sum(perl_strings), perl_total_code, perl_shared_key_bytes_total + perl_string_table_bytes);
    _assert_equal("values in the arenas, PL_sv_count", perl_values, counted);
    perl_say_heap();
    perl_say_faults();
    printf("next: ytrace run probes/perl-gc-fgraph.y %s -o held.svg\n", _target_words());
}
