/// What an interpreter has besides values: its own structure, stacks, streams, the string table, arenas' free room, the optree of the main program.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_MACHINE_Y
#define PERL_MACHINE_Y

#include <perl/sizes.y>
#include <perl/ahead.y>

/// Bytes and numbers by what they are, of all interpreters counted.
long perl_machine_bytes[_str];
long perl_machine_number[_str];
/// Bytes of arenas of heads, and heads that are free.
long perl_arena_bytes;
long perl_free_heads;
/// The string table's entries that no value or hash was seen to use.
long perl_string_table_bytes;
/// How much of `perl_bytes_bodies` the interpreters before this one had.
uint64_t perl_bodies_before;

/// What could not be read: values and lists that a fault ended.
long perl_faults;
_str perl_first_fault;

/// Counts a fault that ended a value or a list.
void perl_count_fault(_fault f)
{
    if (perl_faults == 0)
        perl_first_fault = f.message + " at " + f.span;
    perl_faults++;
}

/// Says what could not be read; makes the result partial.
void perl_say_faults(void)
{
    if (perl_faults > 0) {
        _warn("%ld values or lists could not be read to their end; the first fault: %s", perl_faults, perl_first_fault);
        _assert_equal("values that could not be read", perl_faults, 0);
    }
}

void perl_machine_add(_str what, long number, long bytes)
{
    if (number == 0 && bytes == 0)
        return;
    perl_machine_bytes[what] += bytes;
    perl_machine_number[what] += number;
}

/// Keys in the string table that have not been reached, and forgets none: what is counted here is not counted again.
void perl_count_string_table(void)
{
    HE **array = HvARRAY(perl_strtab);
    if (!array)
        return;
    uint64_t left = HvTOTALKEYS(perl_strtab) + 1024;
    uint64_t max = HvMAX(perl_strtab);
    long number = 0;
    long bytes = 0;
    for (uint64_t b = 0; b <= max; b++) {
        perl_ahead_of_buckets(array, b, max, PERL_AHEAD_KEYS);
        for (HE *he = array[b]; he; he = HeNEXT(he)) {
            if (left-- == 0)
                _raise("the string table has more entries than it counts");
            long size = perl_shared_key_bytes(HeKEY_hek(he));
            if (size) {
                number++;
                bytes += size;
            }
        }
    }
    perl_string_table_bytes += bytes;
    perl_machine_add("keys in the string table that no hash, glob or shared string was seen to use", number, bytes);
}

/// The stacks of an interpreter. The argument stacks are arrays, values of their own.
void perl_count_stacks(struct interpreter *p)
{
    long bytes = perl_block(p->Isavestack, (uint64_t)(p->Isavestack_max + 4) * sizeof(void *)) + perl_block(p->Iscopestack, (uint64_t)p->Iscopestack_max * sizeof(int32_t)) +
                 perl_block(p->Itmps_stack, (uint64_t)p->Itmps_max * sizeof(SV *)) + perl_block(p->Imarkstack, (uint64_t)(p->Imarkstack_max - p->Imarkstack + 1) * sizeof(int32_t));
    PERL_SI *si = p->Icurstackinfo;
    for (int i = 0; si->si_prev && i < 65536; i++)
        si = si->si_prev;
    for (int i = 0; si && i < 65536; i++) {
        if (si->si_cxmax < 0 || si->si_cxmax > 1 << 28)
            _raise("a stack of %d contexts", si->si_cxmax);
        bytes += perl_block(si, sizeof(PERL_SI)) + perl_block(si->si_cxstack, (uint64_t)(si->si_cxmax + 1) * sizeof(PERL_CONTEXT));
        si = si->si_next;
    }
    perl_machine_add("stacks", 0, bytes);
}

/// Streams: tables of them, their layers and buffers.
void perl_count_streams(struct interpreter *p)
{
    PerlIOl *table = p->Iperlio;
    long bytes = 0;
    long number = 0;
    for (int tables = 0; table && tables < 65536; tables++) {
        bytes += perl_block(table, PERLIO_TABLE_SIZE * sizeof(PerlIOl));
        for (int i = 1; i < PERLIO_TABLE_SIZE; i++) {
            PerlIOl *layer = table[i].next;
            number += layer != NULL;
            for (int depth = 0; layer && depth < 64; depth++) {
                if (layer->tab) {
                    bytes += perl_block(layer, layer->tab->size);
                    if ((layer->tab->kind & PERLIO_K_BUFFERED) && layer->tab->size >= sizeof(PerlIOBuf)) {
                        PerlIOBuf *b = (PerlIOBuf *)layer;
                        if (b->buf && b->bufsiz < PERL_MAX_BLOCK && b->buf != (char *)b)
                            bytes += perl_block(b->buf, b->bufsiz);
                    }
                }
                layer = layer->next;
            }
        }
        table = table[0].next;
    }
    perl_machine_add("streams with their layers and buffers", number, bytes);
}

/// Arenas of bodies: what is free in them, and their lists.
void perl_count_body_arenas(struct interpreter *p)
{
    struct arena_set *set = (struct arena_set *)p->Ibody_arenas;
    long sets = 0;
    long room = 0;
    for (int i = 0; set && i < 1 << 20; i++) {
        sets += perl_block(set, sizeof(struct arena_set));
        for (uint32_t j = 0; j < set->curr && j < sizeof(set->set) / sizeof(set->set[0]); j++)
            room += perl_block(set->set[j].arena, set->set[j].size);
        set = set->next;
    }
    long used = perl_bytes_bodies - perl_bodies_before;
    perl_bodies_before = perl_bytes_bodies;
    perl_machine_add("lists of arenas", 0, sets);
    perl_machine_add("free bodies of values", 0, room > used ? room - used : 0);
    if (used > room)
        _raise("bodies of %ld bytes in arenas of %ld", used, room);
}

/// All that an interpreter has besides values. Asked after its values have been counted.
void perl_count_machine(struct interpreter *p)
{
    perl_machine_add("the interpreter itself", 1, perl_block(p, sizeof(struct interpreter)));
    perl_machine_add("optree of the main program", 0, perl_optree_bytes(p->Imain_root) + perl_optree_bytes(p->Ieval_root));
    perl_count_stacks(p);
    perl_count_streams(p);
    if (p->Imy_cxt_size > 0 && p->Imy_cxt_size < 1 << 20)
        perl_machine_add("contexts of modules", p->Imy_cxt_size, perl_block(p->Imy_cxt_list, (uint64_t)p->Imy_cxt_size * sizeof(void *)));
    if (p->Istashpad && p->Istashpadmax < 1 << 28)
        perl_machine_add("stashes of ops", 0, perl_block(p->Istashpad, (p->Istashpadmax + 1) * sizeof(SV *)));
    perl_count_string_table();
    perl_count_body_arenas(p);
}

#endif
