/// What every probe of glibc's heap says of it: the arenas in a table, the sums against malloc's own, in a few lines.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_RESULT_Y
#define GLIBC_RESULT_Y

#include <glibc/walk.y>
#include <linux/resident.y>

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

/// What malloc has taken from the system: all arenas, and what it mapped directly.
long glibc_whole(void)
{
    return glibc_all.system + glibc_blocks_bytes;
}

/// Chunks with whole pages inside, of which nothing tells whether those are resident: a core file does not, nor a kernel that refuses to.
long glibc_residency_unknown;

/// What malloc_trim would give back of a free chunk: the bytes of resident pages that lie behind its head as a whole. Where that cannot be known the chunk
/// is counted in `glibc_residency_unknown`, and the rest gives 0: a sum has to be asked for by `glibc_resident_sum`.
long glibc_resident_inside(uint64_t p, uint64_t size)
{
    if (size < glibc_page + sizeof(struct malloc_chunk))
        return 0;
    long bytes = _resident((void *)(p + sizeof(struct malloc_chunk)), size - sizeof(struct malloc_chunk));
    if (bytes < 0)
        glibc_residency_unknown++;
    return bytes > 0 ? bytes : 0;
}

/// Whether sums of `glibc_resident_inside` are whole.
int glibc_residency_known(void)
{
    return _is_live() && glibc_residency_unknown == 0;
}

/// A sum of `glibc_resident_inside` for a column; unknown if a part of it is.
double glibc_resident_sum(long bytes)
{
    return glibc_residency_known() ? (double)bytes : UNKNOWN;
}

/// Free chunks by which pages of theirs no other process shares could not be told.
long glibc_sharing_unknown;

/// Of these, the bytes of pages that no other process shares: forked relatives keep a page until each of them has given it back.
long glibc_unshared_inside(uint64_t p, uint64_t size)
{
    if (size < glibc_page + sizeof(struct malloc_chunk))
        return 0;
    long bytes = _unshared((void *)(p + sizeof(struct malloc_chunk)), size - sizeof(struct malloc_chunk));
    if (bytes < 0)
        glibc_sharing_unknown++;
    return bytes > 0 ? bytes : 0;
}

/// The position of the highest bit of a size.
int glibc_highest_bit(uint64_t size)
{
    int bit = 0;
    for (int step = 32; step; step /= 2)
        if (size >> step) {
            size >>= step;
            bit += step;
        }
    return bit;
}

/// The sizes that have their highest bit there: "256 .. 511 B", "4 .. 8 KiB".
_str glibc_size_class(int bit)
{
    if (bit < 10)
        return sprintf("%ld .. %ld B", 1l << bit, (2l << bit) - 1);
    _str unit = bit < 20 ? "KiB" : bit < 30 ? "MiB" : "GiB";
    return sprintf("%ld .. %ld %s", 1l << bit % 10, 2l << bit % 10, unit);
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
    _assert_equal("mmapped chunks = mp_.n_mmaps", _elems(glibc_blocks), glibc_par->n_mmaps);
    _assert_equal("mmapped = mp_.mmapped_mem", glibc_blocks_bytes, glibc_mapped_said());
    if (a.skipped > 0)
        _warn("%hB of the heap could not be walked: not readable, or no chunks", a.skipped);
    if (glibc_broken > 0) {
        _assert_equal("lists of free chunks that are damaged", glibc_broken, 0);
        _warn("%ld lists of free chunks lead to what is no such chunk: damaged, or changing while they were read", glibc_broken);
    }
}

/// What malloc says that it mapped directly. Since 2.43 `mp_.mmapped_mem` grows by 16 bytes each time that realloc moves a mapped block: these are left out.
long glibc_mapped_said(void)
{
    return glibc_mapped_agrees() ? glibc_blocks_bytes : glibc_par->mmapped_mem;
}

/// By how many bytes the arenas differ from what malloc says that it took for them.
long glibc_arenas_differ(void)
{
    long system = 0;
    _foreach (s in glibc_sums) {
        long difference = s.system - glibc_met(s);
        system += difference < 0 ? -difference : difference;
    }
    return system;
}

/// The line of differences, which are 0.
void glibc_print_differences(void)
{
    printf("in use + free + top = system_mem, difference %ld B; mmapped = mp_.mmapped_mem, difference %ld B\n", glibc_arenas_differ(),
           glibc_mapped_said() - glibc_blocks_bytes);
    long drift = (long)glibc_par->mmapped_mem - glibc_mapped_said();
    if (drift)
        printf("mp_.mmapped_mem itself says %ld B more: this glibc adds 16 B each time that realloc moves a mapped block\n", drift);
}

/// The lines of sums.
void glibc_print_sums(void)
{
    struct glibc_sum a = glibc_all;
    long whole = glibc_whole();
    long free = a.free + a.fast + a.cached;
    printf("glibc heap %hB: in use %hB (%.0f %%), free %hB (%.0f %%), top %hB, mmapped %hB in %s block%s; %s arena%s\n", whole, a.used,
           glibc_percent(a.used, whole), free, glibc_percent(free, whole), a.top, glibc_blocks_bytes, glibc_thousands(_elems(glibc_blocks)),
           _elems(glibc_blocks) == 1 ? "" : "s", glibc_thousands(_elems(glibc_sums)), _elems(glibc_sums) == 1 ? "" : "s");
    glibc_print_differences();
    if (a.foreign > 0)
        printf("%hB in the middle of the main heap are of another user of brk\n", a.foreign);
}

#endif
