/// What every probe of glibc's heap says of it: the arenas in a table, the sums against malloc's own, in a few lines.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_RESULT_Y
#define GLIBC_RESULT_Y

#include <glibc/walk.y>

_str glibc_thousands(long n)
{
    _str text = "";
    if (n < 0)
        return sprintf("%ld", n);
    while (n >= 1000) {
        text = sprintf(",%03ld", n % 1000) + text;
        n /= 1000;
    }
    return sprintf("%ld", n) + text;
}

/// A part of a whole in percent.
double glibc_percent(long part, long whole)
{
    return whole > 0 ? 100.0 * part / whole : 0.0;
}

/// Checks every sum against malloc's own, and says what is missing and why that may be. A difference makes the result partial.
void glibc_check(void)
{
    struct glibc_sum a = glibc_all;
    long differences = 0;
    _foreach (s in glibc_sums) {
        long met = glibc_met(s);
        if (met != s.system) {
            differences++;
            _assert_equal(sprintf("arena %s: in use + free + top = system_mem", s.name), met, s.system);
        }
        if (s.listed != s.free || s.listed_chunks != s.free_chunks) {
            differences++;
            _assert_equal(sprintf("arena %s: bytes of free chunks = those in the bins", s.name), s.free, s.listed);
            _assert_equal(sprintf("arena %s: free chunks = those in the bins", s.name), s.free_chunks, s.listed_chunks);
        }
    }
    if (!differences) {
        _assert_equal("in use + free + top = system_mem", glibc_met(a), a.system);
        _assert_equal("free chunks = bins", a.free_chunks, a.listed_chunks);
    }
    long mapped = glibc_par->mmapped_mem;
    if (glibc_mapped_agrees() && mapped != glibc_blocks_bytes) {
        printf("mp_.mmapped_mem is %ld B more than is mapped: this glibc adds 16 B each time that realloc moves a mapped block\n", mapped - glibc_blocks_bytes);
        mapped = glibc_blocks_bytes;
    }
    _assert_equal("mmapped chunks = mp_.n_mmaps", _elems(glibc_blocks), glibc_par->n_mmaps);
    _assert_equal("mmapped = mp_.mmapped_mem", glibc_blocks_bytes, mapped);
    if (a.skipped > 0)
        _warn("%hB of the heap could not be walked: not readable, or no chunks", a.skipped);
    if (glibc_broken > 0) {
        _assert_equal("lists of free chunks that are damaged", glibc_broken, 0);
        _warn("%ld lists of free chunks lead to what is no such chunk: damaged, or changing while they were read", glibc_broken);
    }
}

/// The line of sums.
void glibc_print_sums(void)
{
    struct glibc_sum a = glibc_all;
    long whole = a.system + glibc_blocks_bytes;
    long free = a.free + a.fast + a.cached;
    printf("glibc heap %hB: in use %hB (%.0f %%), free %hB (%.0f %%), top %hB, mmapped %hB in %s blocks; %s arena%s\n", whole, a.used,
           glibc_percent(a.used, whole), free, glibc_percent(free, whole), a.top, glibc_blocks_bytes, glibc_thousands(_elems(glibc_blocks)),
           glibc_thousands(_elems(glibc_sums)), _elems(glibc_sums) == 1 ? "" : "s");
    printf("in use + free + top = system_mem, difference %ld B   mmapped = mp_.mmapped_mem, difference %ld B\n", a.system - glibc_met(a),
           (long)glibc_par->mmapped_mem - glibc_blocks_bytes);
    if (a.foreign > 0)
        printf("%hB in the middle of the main heap are of another user of brk\n", a.foreign);
}

#endif
