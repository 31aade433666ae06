/// How much of glibc's heap Perl accounts for, and how much it does not reach: memory of C libraries and of modules written in C.
_module "libperl.so*", "perl", "perl5*", _exe;

#ifndef PERL_HEAP_Y
#define PERL_HEAP_Y

#include <graph/chains.y>
#include <perl/sizes.y>
#include <perl/vm.y>
##ifdeffunc gnu_get_libc_version
#include <glibc/walk.y>
##endif

/// Prints a line about the heap, if it is glibc's and Perl's memory comes from it. Asked after everything of Perl has been counted.
void perl_say_heap(void)
{
##ifdeffunc gnu_get_libc_version
    int found = 0;
    _try {
        found = glibc_find();
    } _catch (_fault f) {
        // It is damaged.
    }
    if (!found && perl_has_glibc_blocks()) {
        _warn("glibc's heap was not found, though Perl's blocks come from it: what malloc keeps of it makes no sense");
        _assert_equal("Perl's blocks, at most what is in use", perl_bytes_chunks, 0);
        return;
    }
    if (!found) {
        _warn("glibc's heap was not found, so Perl's blocks are not held against it: another allocator, or memory that makes no sense");
        return;
    }
    glibc_walk();
    long used = glibc_all.used + glibc_blocks_bytes;
    long perl = perl_bytes_chunks;
    long met = 0;
    long system = 0;
    _foreach (s in glibc_sums) {
        met += glibc_met(s);
        system += s.system;
    }
    _assert_equal("glibc: in use + free + top = system_mem", met, system);
    if (perl > used) {
        // Perl with an allocator of its own has its interpreter elsewhere.
        char *first = (char *)perl_interpreters[0];
        if (first >= glibc_par->sbrk_base && first < (char *)glibc_main->top)
            _assert_equal("Perl's blocks, at most what is in use", perl, used);
        printf("Perl's blocks take %hB, more than the %hB in use in glibc's heap: another allocator serves it\n", perl, used);
        return;
    }
    printf("glibc %hB in use: Perl %hB in %s blocks, not reached by Perl %hB (%.1f %%): memory of C libraries and of modules in C\n", used, perl,
           graph_thousands(perl_number_blocks), used - perl, used > 0 ? 100.0 * (used - perl) / used : 0.0);
##endif
}

#endif
