/// Counts all values of an interpreter's arenas by type and by class, and what is no value: what `perl-gc-stats` shows.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_STATS_Y
#define PERL_STATS_Y

#include <graph/chains.y>
#include <perl/sizes.y>
#include <perl/machine.y>

struct perl_type_row {
    _str type;
    long number;
    long bytes;
    long biggest;
};

struct perl_class_row {
    _str class;
    _str type;
    long number;
    long bytes;
    long biggest;
};

struct perl_rest_row {
    _str what;
    long number;
    long bytes;
};

/// Totals of all interpreters counted.
long perl_values;
long perl_objects;
long perl_value_total;
long perl_total_code;
long perl_total_pads;
long perl_type_number[32];
long perl_type_bytes[32];
long perl_type_biggest[32];
/// Objects by their class's stash, and what they are.
long perl_class_number[SV *];
long perl_class_bytes[SV *];
long perl_class_biggest[SV *];
uint32_t perl_class_type[SV *];
/// Classes by name, also those that are not shown.
long perl_classes_found;

/// The value that is being counted, or NULL.
SV *perl_value_now;

/// Counts one value that is not free.
void perl_count_value(SV *sv, uint32_t flags, _agg strings)
{
    uint32_t type = flags & SVTYPEMASK;
    perl_values++;
    perl_value_now = sv;
    perl_code_bytes = 0;
    perl_pad_bytes = 0;
    long bytes = perl_value_bytes(sv, flags);
    if (type == PERL_PVHV)
        bytes += perl_entries_bytes(sv, flags);
    perl_total_code += perl_code_bytes;
    perl_total_pads += perl_pad_bytes;
    perl_value_total += bytes;
    perl_type_number[type]++;
    perl_type_bytes[type] += bytes;
    if (bytes > perl_type_biggest[type])
        perl_type_biggest[type] = bytes;
    if ((flags & (SVf_POK | SVp_POK)) && !(flags & SVf_ROK) && type >= PERL_PV && type <= PERL_PVMG && type != PERL_INVLIST)
        strings <<< SvLEN(sv) ? SvLEN(sv) : SvCUR(sv);
    if (flags & SVs_OBJECT) {
        SV *stash = SvSTASH(sv);
        perl_objects++;
        perl_class_number[stash]++;
        perl_class_bytes[stash] += bytes;
        perl_class_type[stash] = type;
        if (bytes > perl_class_biggest[stash])
            perl_class_biggest[stash] = bytes;
    }
}

/// Counts an interpreter: its values, then what is left of its machine. Raises a fault where the list of arenas is damaged.
void perl_count_interpreter(struct interpreter *p, _agg strings)
{
    perl_sizes_of(p);
    SV *arena = (SV *)p->Isv_arenaroot;
    for (long arenas = 0; arena && arenas < PERL_MAX_ARENAS; arenas++) {
        uint32_t slots = SvREFCNT(arena);
        if (slots > PERL_MAX_SLOTS)
            _raise("an arena of %u values at %p: the list of arenas is damaged", slots, arena);
        perl_arena_bytes += perl_block(arena, (uint64_t)slots * sizeof(SV));
        uint32_t i = 1;
        while (i < slots) {
            // A fault ends the value at hand, not the arena.
            _try {
                while (i < slots) {
                    SV *sv = &arena[i++];
                    uint32_t flags = SvFLAGS(sv);
                    if ((flags & SVTYPEMASK) == SVTYPEMASK)
                        perl_free_heads++;
                    else
                        perl_count_value(sv, flags, strings);
                }
            } _catch (_fault f) {
                perl_count_fault(f);
            }
        }
        perl_value_now = NULL;
        arena = (SV *)SvANY(arena);
    }
    _try {
        perl_count_machine(p);
    } _catch (_fault f) {
        perl_count_fault(f);
    }
}

/// All bytes counted: values with their blocks, code, pads, the machine, and free room in arenas.
long perl_total_bytes(void)
{
    return perl_value_total + perl_total_code + perl_total_pads + _sum(perl_machine_bytes) + perl_free_heads * (long)sizeof(SV);
}

/// Adds a row of what is no value, unless it is empty.
void perl_rest_row_of(struct perl_rest_row rows[], _str what, long number, long bytes)
{
    if (bytes == 0 && number == 0)
        return;
    struct perl_rest_row row;
    row.what = what;
    row.number = number;
    row.bytes = bytes;
    _push(rows, row);
}

/// Fills the tables that are shown, the biggest first; at most `most` classes.
void perl_count_into(struct perl_type_row types[], struct perl_class_row classes[], struct perl_rest_row rest[], int most)
{
    for (int type = 0; type < 32; type++) {
        if (perl_type_number[type] == 0)
            continue;
        struct perl_type_row row;
        row.type = perl_type_name(type);
        row.number = perl_type_number[type];
        row.bytes = perl_type_bytes[type];
        row.biggest = perl_type_biggest[type];
        _push(types, row);
    }
    _sort(types _by x.bytes _desc);
    // Each interpreter has a stash of its own for a class.
    long index[_str];
    _foreach (stash, bytes in perl_class_bytes) {
        _str class = "?";
        _try {
            class = perl_stash_name(stash);
        } _catch (_fault f) {
            perl_count_fault(f);
        }
        long at = index[class];
        if (at == 0) {
            struct perl_class_row row;
            row.class = class;
            row.type = perl_type_name(perl_class_type[stash]);
            _push(classes, row);
            at = _elems(classes);
            index[class] = at;
        }
        classes[at - 1].number += perl_class_number[stash];
        classes[at - 1].bytes += bytes;
        if (perl_class_biggest[stash] > classes[at - 1].biggest)
            classes[at - 1].biggest = perl_class_biggest[stash];
    }
    perl_classes_found = _elems(classes);
    _sort(classes _by x.bytes _desc);
    while (_elems(classes) > (most < 1 ? 1 : most))
        _pop(classes);
    perl_rest_row_of(rest, "optrees of subs", 0, perl_total_code);
    perl_rest_row_of(rest, "pads of subs: lists and names", 0, perl_total_pads);
    perl_rest_row_of(rest, "free heads of values", perl_free_heads, perl_free_heads * (long)sizeof(SV));
    _foreach (what, bytes in perl_machine_bytes)
        perl_rest_row_of(rest, what, perl_machine_number[what], bytes);
    _sort(rest _by x.bytes _desc);
}

#endif
