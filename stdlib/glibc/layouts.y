/// What the structures of glibc's malloc look like in the versions that are in use, for C libraries without debug information: one candidate for each distinct
/// set of layouts, named by the versions that have it (malloc/malloc.c and malloc/arena.c of each release).
///
/// Candidates are tried in order, and one is believed only after `glibc_valid` of <glibc/arenas.y> has held on the live structures. The first
/// fields of `struct malloc_chunk` were renamed in 2.25; here they have the new names in all.
///
/// To add a version, compare these structures in its sources with the newest candidate, or take them from its debug information, for instance with
/// gdb's `ptype /o struct malloc_par`.
_module "libc.so.6", "libc-2.*.so", _exe;

#ifndef GLIBC_LAYOUTS_Y
#define GLIBC_LAYOUTS_Y

int glibc_valid(void);

_layout glibc {
    "2.35..2.41" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; int have_fastchunks; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            size_t thp_pagesize; size_t hp_pagesize; int hp_flags;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_bins; size_t tcache_max_bytes; size_t tcache_count; size_t tcache_unsorted_limit;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size; size_t pagesize; char pad[8];
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; uintptr_t key; } tcache_entry;
        typedef struct tcache_perthread_struct { uint16_t counts[64]; tcache_entry *entries[64]; } tcache_perthread_struct;
    }
    "2.30..2.34" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; int have_fastchunks; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_bins; size_t tcache_max_bytes; size_t tcache_count; size_t tcache_unsorted_limit;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; uintptr_t key; } tcache_entry;
        typedef struct tcache_perthread_struct { uint16_t counts[64]; tcache_entry *entries[64]; } tcache_perthread_struct;
    }
    "2.42" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; int have_fastchunks; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            size_t thp_pagesize; size_t hp_pagesize; int hp_flags;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_small_bins; size_t tcache_max_bytes; size_t tcache_count;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size; size_t pagesize; char pad[8];
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; uintptr_t key; } tcache_entry;
        typedef struct tcache_perthread_struct { uint16_t num_slots[76]; tcache_entry *entries[76]; } tcache_perthread_struct;
    }
    "2.43.." {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags;
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int thp_mode; size_t thp_pagesize; size_t hp_pagesize; int hp_flags;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_small_bins; size_t tcache_max_bytes; size_t tcache_count;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size; size_t pagesize; char pad[8];
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; uintptr_t key; } tcache_entry;
        typedef struct tcache_perthread_struct { uint16_t num_slots[76]; tcache_entry *entries[76]; } tcache_perthread_struct;
    }
    "2.27..2.29" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; int have_fastchunks; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_bins; size_t tcache_max_bytes; size_t tcache_count; size_t tcache_unsorted_limit;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; } tcache_entry;
        typedef struct tcache_perthread_struct { char counts[64]; tcache_entry *entries[64]; } tcache_perthread_struct;
    }
    "2.26" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
            size_t tcache_bins; size_t tcache_max_bytes; size_t tcache_count; size_t tcache_unsorted_limit;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
        typedef struct tcache_entry { struct tcache_entry *next; } tcache_entry;
        typedef struct tcache_perthread_struct { char counts[64]; tcache_entry *entries[64]; } tcache_perthread_struct;
    }
    "2.24..2.25" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; char *sbrk_base;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
    }
    "2.23" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t attached_threads; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; size_t max_total_mem; char *sbrk_base;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
    }
    "2.15..2.22" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; size_t mmapped_mem; size_t max_mmapped_mem; size_t max_total_mem; char *sbrk_base;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
    }
    "2.12..2.14" {
        struct malloc_chunk {
            size_t mchunk_prev_size; size_t mchunk_size; struct malloc_chunk *fd; struct malloc_chunk *bk;
            struct malloc_chunk *fd_nextsize; struct malloc_chunk *bk_nextsize;
        };
        struct malloc_state {
            int mutex; int flags; struct malloc_chunk *fastbinsY[10];
            struct malloc_chunk *top; struct malloc_chunk *last_remainder; struct malloc_chunk *bins[254]; unsigned binmap[4];
            struct malloc_state *next; struct malloc_state *next_free; size_t system_mem; size_t max_system_mem;
        };
        struct malloc_par {
            unsigned long trim_threshold; size_t top_pad; size_t mmap_threshold; size_t arena_test; size_t arena_max;
            int n_mmaps; int n_mmaps_max; int max_n_mmaps; int no_dyn_threshold; unsigned pagesize; size_t mmapped_mem; size_t max_mmapped_mem; size_t max_total_mem; char *sbrk_base;
        };
        typedef struct _heap_info {
            struct malloc_state *ar_ptr; struct _heap_info *prev; size_t size; size_t mprotect_size;
        } heap_info;
    }
} _valid glibc_valid;

// Where glibc_valid is.
#include <glibc/arenas.y>

#endif
