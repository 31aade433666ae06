/// Looking ahead of the walk: what it will read of the next values is read in advance, that of many values in one go, so that the processor waits for all
/// of it together where the walk would wait for one address after another. Nothing is changed by it, nothing is read that the walk does not read, and
/// faults are left to the walk, which meets them again.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_AHEAD_Y
#define PERL_AHEAD_Y

#include <perl/c.y>
#include <graph/marks.y>

/// Values of the list that are taken off it together.
#define PERL_AHEAD_VALUES 32
/// Buckets of a hash, or elements of an array, that are looked at together. Hashes and arrays with more are looked at while they are walked, others while
/// they are on the list.
#define PERL_AHEAD_SLOTS 16
/// What is looked at together at most, of each kind.
#define PERL_AHEAD 512

/// What has been noted: arrays and hashes of the list, entries of hashes with their keys, and values.
SV *perl_ahead_containers[PERL_AHEAD_VALUES];
HE *perl_ahead_entries[PERL_AHEAD];
HEK *perl_ahead_keys[PERL_AHEAD];
SV *perl_ahead_values[PERL_AHEAD];
int perl_ahead_entry_number;
int perl_ahead_value_number;

#define perl_ahead_entry(he) (perl_ahead_entries[perl_ahead_entry_number++] = (he))
#define perl_ahead_value(sv) (perl_ahead_values[perl_ahead_value_number++] = (sv))

/// Forgets what has been noted.
void perl_ahead_clear(void)
{
    perl_ahead_entry_number = 0;
    perl_ahead_value_number = 0;
}

/// Reads the entries that have been noted, those that they are chained to, and their keys. Notes their values if `values` says so.
void perl_ahead_read_entries(int values)
{
    for (int i = 0; i < perl_ahead_entry_number; i++) {
        HE *he = perl_ahead_entries[i];
        perl_ahead_keys[i] = HeKEY_hek(he);
        if (values && HeVAL(he) && perl_ahead_value_number < PERL_AHEAD)
            perl_ahead_value(HeVAL(he));
        HE *next = HeNEXT(he);
        if (next && perl_ahead_entry_number < PERL_AHEAD)
            perl_ahead_entry(next);
    }
    uint64_t sum = 0;
    for (int i = 0; i < perl_ahead_entry_number; i++) {
        sum += HEK_LEN(perl_ahead_keys[i]);
        sum += graph_mark_word(perl_ahead_keys[i]);
    }
}

/// Reads the values that have been noted and not been visited, and of each what it refers to or the body that has the length of its string.
void perl_ahead_read_values(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < perl_ahead_value_number; i++)
        sum += graph_mark_word(perl_ahead_values[i]);
    int kept = 0;
    for (int i = 0; i < perl_ahead_value_number; i++) {
        SV *sv = perl_ahead_values[i];
        if (graph_marked(sv)) {
            perl_ahead_values[kept++] = sv;
            sum += SvFLAGS(sv);
        }
    }
    int references = 0;
    for (int i = 0; i < kept; i++) {
        SV *sv = perl_ahead_values[i];
        uint32_t flags = SvFLAGS(sv);
        uint32_t type = flags & SVTYPEMASK;
        if (type > PERL_PVNV)
            continue;
        if (flags & SVf_ROK) {
            if (SvRV(sv) && !(flags & SVprv_WEAKREF)) {
                perl_ahead_values[references++] = SvRV(sv);
                sum += graph_mark_word(SvRV(sv));
            }
        } else if (type >= PERL_PV && SvPVX(sv)) {
            sum += SvLEN(sv);
        }
    }
    for (int i = 0; i < references; i++)
        if (graph_marked(perl_ahead_values[i]))
            sum += SvFLAGS(perl_ahead_values[i]);
}

// How much is read of the entries of a hash.
#define PERL_AHEAD_KEYS 0
#define PERL_AHEAD_FLAGS 1
#define PERL_AHEAD_ALL 2

/// Looks at the entries of a hash from a bucket on, where that is the first of as many as are looked at together.
void perl_ahead_of_buckets(HE **array, uint64_t b, uint64_t max, int what)
{
    if (b % PERL_AHEAD_SLOTS != 0)
        return;
    perl_ahead_clear();
    uint64_t end = b + PERL_AHEAD_SLOTS <= max + 1 ? b + PERL_AHEAD_SLOTS : max + 1;
    _try {
        for (; b < end; b++)
            if (array[b])
                perl_ahead_entry(array[b]);
        perl_ahead_read_entries(what != PERL_AHEAD_KEYS);
        if (what == PERL_AHEAD_ALL) {
            perl_ahead_read_values();
        } else {
            uint64_t sum = 0;
            for (int i = 0; i < perl_ahead_value_number; i++)
                sum += SvFLAGS(perl_ahead_values[i]);
        }
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

/// Looks at the elements of an array from an index on, likewise.
void perl_ahead_of_elements(SV **array, int64_t i, int64_t fill)
{
    if (i % PERL_AHEAD_SLOTS != 0)
        return;
    perl_ahead_clear();
    int64_t end = i + PERL_AHEAD_SLOTS <= fill + 1 ? i + PERL_AHEAD_SLOTS : fill + 1;
    _try {
        for (; i < end; i++)
            if (array[i])
                perl_ahead_value(array[i]);
        perl_ahead_read_values();
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

/// Looks at values of the list, which the caller has noted as containers; at what is in them, too, where they are arrays or hashes.
void perl_ahead_of_list(int number)
{
    perl_ahead_clear();
    uint64_t sum = 0;
    _try {
        for (int i = 0; i < number; i++)
            sum += SvFLAGS(perl_ahead_containers[i]);
        int kept = 0;
        for (int i = 0; i < number; i++) {
            SV *sv = perl_ahead_containers[i];
            uint32_t flags = SvFLAGS(sv);
            uint32_t type = flags & SVTYPEMASK;
            if (type == PERL_PVAV ? !(flags & SVpav_REAL) : type != PERL_PVHV)
                continue;
            perl_ahead_containers[kept++] = sv;
            sum += (uint64_t)SvMAGIC(sv) + (type == PERL_PVAV ? (uint64_t)AvFILLp(sv) : HvMAX(sv));
            if (AvARRAY(sv) && (type == PERL_PVHV || AvFILLp(sv) >= 0))
                sum += (uint64_t)AvARRAY(sv)[0];
        }
        for (int i = 0; i < kept; i++) {
            SV *sv = perl_ahead_containers[i];
            if (SvTYPE(sv) == PERL_PVAV) {
                SV **array = AvARRAY(sv);
                int64_t fill = AvFILLp(sv);
                if (!array || fill >= PERL_AHEAD_SLOTS)
                    continue;
                for (int64_t j = 0; j <= fill; j++)
                    if (array[j])
                        perl_ahead_value(array[j]);
            } else {
                HE **array = HvARRAY(sv);
                uint64_t max = HvMAX(sv);
                if (!array || max >= PERL_AHEAD_SLOTS)
                    continue;
                for (uint64_t b = 0; b <= max; b++)
                    if (array[b])
                        perl_ahead_entry(array[b]);
            }
        }
        perl_ahead_read_entries(1);
        perl_ahead_read_values();
    } _catch (_fault f) {
        // The walk meets it again.
    }
}

#endif
