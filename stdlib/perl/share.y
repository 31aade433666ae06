/// How much of glibc's memory is Perl's: its blocks in the arenas, by bytes, and which of the blocks that malloc mapped directly are its. Asked after
/// `glibc_find_ranges`. Reads all values; those of other threads' interpreters are found only where registers are known.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_SHARE_Y
#define PERL_SHARE_Y

#include <glibc/ranges.y>
#include <perl/vm.y>
#include <perl/stats.y>

/// Bytes of chunks in the arenas, and interpreters that were found.
long perl_share_bytes;
long perl_share_interpreters;

void perl_on_block(void *block, uint64_t size)
{
    long i = glibc_range_at((uint64_t)block);
    if (i < 0)
        return;
    if (glibc_ranges[i].arena < 0)
        glibc_ranges[i].arena = GLIBC_RANGE_PERL;
    else
        perl_share_bytes += size <= 24 ? 32 : (size + 23) & ~15ul;
}

/// Counts. Gives 0 where no interpreter was found.
int perl_count_share(void)
{
    perl_share_bytes = 0;
    perl_share_interpreters = perl_find_interpreters();
    _agg strings;
    _foreach (p in perl_interpreters) {
        _try {
            perl_count_interpreter(p, strings);
        } _catch (_fault f) {
            perl_count_fault(f);
        }
    }
    return perl_share_interpreters > 0;
}

#endif
