/// Claims the blocks of Perl's interpreters for <glibc/owners.y>: all that `perl-gc-stats` counts, values with their buffers, optrees, pads, arenas, stacks.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_OWNERS_Y
#define PERL_OWNERS_Y

#include <perl/vm.y>
#include <perl/stats.y>
#include <glibc/owners.y>

int perl_owner;

/// Called for each block, of which `perl_value_now` is the value that it belongs to, or NULL.
__attribute__((weak)) void perl_on_claim(void *block, uint64_t size) { }

void perl_on_block(void *block, uint64_t size)
{
    if (!perl_owner)
        return;
    glibc_claim(block, perl_owner);
    perl_on_claim(block, size);
}

void perl_claim_blocks(void)
{
    if (perl_find_interpreters() == 0) {
        glibc_owner_missing("Perl", perl_tried);
        return;
    }
    perl_owner = glibc_owner_number("Perl");
    _agg strings;
    _foreach (p in perl_interpreters)
        perl_count_interpreter(p, strings);
    perl_owner = 0;
    if (perl_faults > 0)
        glibc_owner_missing("Perl", sprintf("%ld values or lists could not be read to their end; the first fault: %s", perl_faults, perl_first_fault));
}

#endif
