/// Chunks that are free but look used: those in fast bins and in the caches of threads. <glibc/walk.y> asks here for each chunk.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_CACHED_Y
#define GLIBC_CACHED_Y

#include <glibc/arenas.y>

#define GLIBC_CACHED_THREAD 1
#define GLIBC_CACHED_FAST 2

/// Such chunks by address, and in front of that one byte for each of many addresses, so that most chunks need no look-up.
uint8_t glibc_cached[uint64_t];
#define GLIBC_MARKS (1 << 18)
uint8_t glibc_marks[GLIBC_MARKS];
#define glibc_mark(p) (((uint64_t)(p) >> 4 ^ (uint64_t)(p) >> 22) & (GLIBC_MARKS - 1))

/// Threads' caches that were found, and how: "threads" (each thread's own variable), "search", or "" without caches.
long glibc_caches;
_str glibc_caches_found;
/// Chunks of lists that lead nowhere: entries that are no chunks of the right size.
long glibc_broken;

int glibc_caches_known[uint64_t];

/// What the caches are to hold to be believed: chunks of the size of their bin, on lists that end.
void glibc_add_cached(struct malloc_chunk *p, int kind)
{
    glibc_cached[(uint64_t)p] = kind;
    glibc_marks[glibc_mark(p)] = 1;
}

##ifdeftype tcache_perthread_struct
/// Whether a chunk can be in the bin of a cache.
int glibc_fits_bin(struct malloc_chunk *p, int bin)
{
    if (!glibc_valid_chunk(p))
        return 0;
    uint64_t size = chunksize(p);
##ifdeffield tcache_perthread_struct num_slots
    // Each of the bins for large chunks holds the sizes from one power of two to the next.
    if (bin >= TCACHE_SMALL_BINS) {
        uint64_t low = 1024ul << (bin - TCACHE_SMALL_BINS);
        return size >= low && size < 2 * low;
    }
##endif
    return size == MINSIZE + (uint64_t)bin * MALLOC_ALIGNMENT;
}

/// The number of entries on one list of a cache, or -1 if it is damaged. Those on it are added to the set if `add`.
long glibc_cache_list(tcache_perthread_struct *t, int bin, long most, int add)
{
    long n = 0;
    tcache_entry *e = t->entries[bin];
    while (e && n < most) {
        if (!glibc_aligned(e) || !glibc_fits_bin(mem2chunk(e), bin))
            return -1;
        if (add) {
            // A list that runs in a circle comes back to an entry.
            if ((uint64_t)mem2chunk(e) in glibc_cached)
                return -1;
            glibc_add_cached(mem2chunk(e), GLIBC_CACHED_THREAD);
        }
        n++;
        e = REVEAL_PTR(e->next);
    }
    return n;
}

/// Whether a thread's cache lies there: 1 if so, 2 if so and it is empty. Faults mean no.
int glibc_valid_tcache(tcache_perthread_struct *t)
{
    _try {
        long found = 0;
        for (int i = 0; i < TCACHE_MAX_BINS; i++) {
##ifdeffield tcache_perthread_struct num_slots
            long most = glibc_par->tcache_count;
            long slots = t->num_slots[i];
            if (slots > most || glibc_cache_list(t, i, most + 1, 0) != most - slots)
                return 0;
            found += most - slots;
##else
            long count = t->counts[i];
            if (count < 0 || count > 0xffff || (count == 0) != (t->entries[i] == NULL))
                return 0;
            if (count && glibc_cache_list(t, i, count, 0) != count)
                return 0;
            found += count;
##endif
        }
        return found ? 1 : 2;
    } _catch (_fault f) {
        return 0;
    }
}

/// Adds what a cache holds.
void glibc_add_tcache(tcache_perthread_struct *t)
{
    if ((uint64_t)t in glibc_caches_known)
        return;
    glibc_caches_known[(uint64_t)t] = 1;
    glibc_caches++;
    for (int i = 0; i < TCACHE_MAX_BINS; i++) {
        _try {
##ifdeffield tcache_perthread_struct num_slots
            if (glibc_cache_list(t, i, 0x10000, 1) < 0)
                glibc_broken++;
##else
            if (glibc_cache_list(t, i, t->counts[i], 1) < 0)
                glibc_broken++;
##endif
        } _catch (_fault f) {
            glibc_broken++;
        }
    }
}

/// Takes a chunk for a thread's cache if it is one; gives whether it did.
int glibc_try_tcache(uint64_t p)
{
    int valid = glibc_valid_tcache((tcache_perthread_struct *)chunk2mem(p));
    if (valid)
        glibc_add_tcache((tcache_perthread_struct *)chunk2mem(p));
    return valid;
}

/// Whether a chunk of this size may hold a thread's cache: one that was cut from a free chunk takes the rest of it, if that is too small for a chunk.
#define glibc_cache_size(size) ((size) - request2size(sizeof(tcache_perthread_struct)) <= MALLOC_ALIGNMENT)
##endif

/// The caches that threads' own variables point to; gives whether those could be read. They cannot while threads run, nor without symbols.
int glibc_add_thread_caches(void)
{
##ifdeftype tcache_perthread_struct
##ifdefvar tcache
    _try {
        int found = 0;
        _foreach (thread in _threads()) {
            // Symbols alone do not tell its type.
            tcache_perthread_struct *t = *(tcache_perthread_struct **)&_tls(thread.tid, tcache);
            // Since 2.43 a thread without one points to read-only zeros of the library, before that nowhere.
            found = 1;
            if (!t)
                continue;
##ifdeffield tcache_perthread_struct num_slots
            if (t->num_slots[0] == 0 && !t->entries[0] && glibc_par->tcache_count)
                continue;
##endif
            if (glibc_aligned(t) && glibc_valid_tcache(t))
                glibc_add_tcache(t);
            else
                glibc_broken++;
        }
        if (found) {
            glibc_caches_found = "threads";
            return 1;
        }
    } _catch (_fault f) {
        // Their addresses are not known while threads run.
    }
##endif
##endif
    return 0;
}

/// What an arena's fast bins hold.
void glibc_add_fast(struct malloc_state *m)
{
##ifdeffield struct malloc_state fastbinsY
    long most = m->system_mem / MINSIZE;
    for (int i = 0; i < NFASTBINS; i++) {
        _try {
            long n = 0;
            for (struct malloc_chunk *p = m->fastbinsY[i]; p; p = REVEAL_PTR(p->fd)) {
                if (n++ > most || !glibc_valid_chunk(p) || fastbin_index(chunksize(p)) != i || (uint64_t)p in glibc_cached) {
                    glibc_broken++;
                    break;
                }
                glibc_add_cached(p, GLIBC_CACHED_FAST);
            }
        } _catch (_fault f) {
            glibc_broken++;
        }
    }
##endif
}

#endif
