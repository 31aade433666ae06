/// The macros of glibc's malloc.c and arena.c, so that code pasted from them runs. Types and variables (`main_arena`, `mp_`, …) come from
/// the C library's debug information (package libc6-dbg or the like). Where another library has a `struct malloc_chunk` of its own, as LuaJIT
/// does, pasted code that writes it out needs the line `_module "libc.so.6";`; `mchunkptr` and `mstate` always are those of the C library.
_module "libc.so.6", _exe;

#ifndef GLIBC_C_Y
#define GLIBC_C_Y

// Sizes, those of x86-64.
##ifndeftype INTERNAL_SIZE_T
#define INTERNAL_SIZE_T size_t
##endif
#define SIZE_SZ (sizeof (INTERNAL_SIZE_T))
#define CHUNK_HDR_SZ (2 * SIZE_SZ)
#define MALLOC_ALIGNMENT (2 * SIZE_SZ)
#define MALLOC_ALIGN_MASK (MALLOC_ALIGNMENT - 1)
#define MIN_CHUNK_SIZE (offsetof (typeof (*(mchunkptr) 0), fd_nextsize))
#define MINSIZE (unsigned long) (((MIN_CHUNK_SIZE + MALLOC_ALIGN_MASK) & ~MALLOC_ALIGN_MASK))
#define aligned_OK(m) (((unsigned long) (m) & MALLOC_ALIGN_MASK) == 0)
#define misaligned_chunk(p) ((uintptr_t) (chunk2mem (p)) & MALLOC_ALIGN_MASK)
#define request2size(req) \
    (((req) + SIZE_SZ + MALLOC_ALIGN_MASK < MINSIZE) ? MINSIZE : ((req) + SIZE_SZ + MALLOC_ALIGN_MASK) & ~MALLOC_ALIGN_MASK)

// malloc's types, those of the C library: LuaJIT, for one, has a `struct malloc_chunk` of its own.
typedef struct malloc_chunk *mchunkptr;
typedef struct malloc_chunk *mbinptr;
typedef struct malloc_chunk *mfastbinptr;
typedef struct malloc_state *mstate;

// Chunks. The fields were renamed in 2.25.
#define PREV_INUSE 0x1
#define IS_MMAPPED 0x2
#define NON_MAIN_ARENA 0x4
#define SIZE_BITS (PREV_INUSE | IS_MMAPPED | NON_MAIN_ARENA)
##ifdeffield struct malloc_chunk mchunk_size
#define chunksize_nomask(p) ((p)->mchunk_size)
#define prev_size(p) ((p)->mchunk_prev_size)
##else
#define chunksize_nomask(p) ((p)->size)
#define prev_size(p) ((p)->prev_size)
##endif
#define chunksize(p) (chunksize_nomask (p) & ~(SIZE_BITS))
#define prev_inuse(p) (chunksize_nomask (p) & PREV_INUSE)
#define chunk_is_mmapped(p) (chunksize_nomask (p) & IS_MMAPPED)
#define chunk_main_arena(p) ((chunksize_nomask (p) & NON_MAIN_ARENA) == 0)
#define chunk2mem(p) ((void *) ((char *) (p) + CHUNK_HDR_SZ))
#define mem2chunk(mem) ((mchunkptr) ((char *) (mem) - CHUNK_HDR_SZ))
#define chunk2rawmem(p) ((void *) ((char *) (p) + CHUNK_HDR_SZ))
#define memsize(p) (chunksize (p) - (chunk_is_mmapped (p) ? CHUNK_HDR_SZ : SIZE_SZ))
#define next_chunk(p) ((mchunkptr) (((char *) (p)) + chunksize (p)))
#define prev_chunk(p) ((mchunkptr) (((char *) (p)) - prev_size (p)))
#define chunk_at_offset(p, s) ((mchunkptr) (((char *) (p)) + (s)))
#define inuse(p) (chunksize_nomask (next_chunk (p)) & PREV_INUSE)
#define inuse_bit_at_offset(p, s) (chunksize_nomask (chunk_at_offset (p, s)) & PREV_INUSE)

// Bins.
#define NBINS 128
#define NSMALLBINS 64
#define SMALLBIN_WIDTH MALLOC_ALIGNMENT
#define SMALLBIN_CORRECTION (MALLOC_ALIGNMENT > CHUNK_HDR_SZ)
#define MIN_LARGE_SIZE ((NSMALLBINS - SMALLBIN_CORRECTION) * SMALLBIN_WIDTH)
#define bin_at(m, i) (mbinptr) (((char *) &((m)->bins[((i) - 1) * 2])) - offsetof (typeof (*(mchunkptr) 0), fd))
#define next_bin(b) ((mbinptr) ((char *) (b) + (sizeof (mchunkptr) << 1)))
#define first(b) ((b)->fd)
#define last(b) ((b)->bk)
#define unsorted_chunks(M) (bin_at (M, 1))
#define initial_top(M) (unsorted_chunks (M))
#define in_smallbin_range(sz) ((unsigned long) (sz) < (unsigned long) MIN_LARGE_SIZE)
#define smallbin_index(sz) \
    ((SMALLBIN_WIDTH == 16 ? (((unsigned) (sz)) >> 4) : (((unsigned) (sz)) >> 3)) + SMALLBIN_CORRECTION)
#define largebin_index_64(sz) \
    (((((unsigned long) (sz)) >> 6) <= 48) ? 48 + (((unsigned long) (sz)) >> 6) : \
     ((((unsigned long) (sz)) >> 9) <= 20) ? 91 + (((unsigned long) (sz)) >> 9) : \
     ((((unsigned long) (sz)) >> 12) <= 10) ? 110 + (((unsigned long) (sz)) >> 12) : \
     ((((unsigned long) (sz)) >> 15) <= 4) ? 119 + (((unsigned long) (sz)) >> 15) : \
     ((((unsigned long) (sz)) >> 18) <= 2) ? 124 + (((unsigned long) (sz)) >> 18) : \
     126)
#define largebin_index(sz) largebin_index_64 (sz)
#define bin_index(sz) ((in_smallbin_range (sz)) ? smallbin_index (sz) : largebin_index (sz))
#define BINMAPSHIFT 5
#define BITSPERMAP (1U << BINMAPSHIFT)
#define BINMAPSIZE (NBINS / BITSPERMAP)
#define idx2block(i) ((i) >> BINMAPSHIFT)
#define idx2bit(i) ((1U << ((i) & ((1U << BINMAPSHIFT) - 1))))
#define get_binmap(m, i) ((m)->binmap[idx2block (i)] & idx2bit (i))

// Links of fast bins and of the thread caches are masked since 2.32, which is the version that brought __libc_single_threaded; programs that are linked
// statically and stripped show that they are newer by malloc's parameters.
##ifdefvar __libc_single_threaded
#define PROTECT_PTR(pos, ptr) ((__typeof (ptr)) ((((size_t) pos) >> 12) ^ ((size_t) ptr)))
##elifdeffield struct malloc_par hp_pagesize
#define PROTECT_PTR(pos, ptr) ((__typeof (ptr)) ((((size_t) pos) >> 12) ^ ((size_t) ptr)))
##else
#define PROTECT_PTR(pos, ptr) (ptr)
##endif
#define REVEAL_PTR(ptr) PROTECT_PTR (&ptr, ptr)

// Fast bins, which versions after 2.42 do not have.
##ifdeffield struct malloc_state fastbinsY
#define fastbin(ar_ptr, idx) ((ar_ptr)->fastbinsY[idx])
#define fastbin_index(sz) ((((unsigned int) (sz)) >> (SIZE_SZ == 8 ? 4 : 3)) - 2)
#define MAX_FAST_SIZE (80 * SIZE_SZ / 4)
#define NFASTBINS (fastbin_index (request2size (MAX_FAST_SIZE)) + 1)
#define FASTBIN_CONSOLIDATION_THRESHOLD (65536UL)
##ifdefvar global_max_fast
#define get_max_fast() global_max_fast
##endif
##endif

// The thread caches, since 2.26.
##ifdeftype tcache_perthread_struct
##ifdeffield tcache_perthread_struct num_slots
#define TCACHE_SMALL_BINS 64
#define TCACHE_LARGE_BINS 12
#define TCACHE_MAX_BINS (TCACHE_SMALL_BINS + TCACHE_LARGE_BINS)
##else
#define TCACHE_MAX_BINS 64
##endif
#define MAX_TCACHE_SIZE tidx2usize (TCACHE_MAX_BINS - 1)
#define tidx2usize(idx) (((size_t) idx) * MALLOC_ALIGNMENT + MINSIZE - SIZE_SZ)
#define csize2tidx(x) (((x) - MINSIZE + MALLOC_ALIGNMENT - 1) / MALLOC_ALIGNMENT)
#define usize2tidx(x) csize2tidx (request2size (x))
##endif

// Arenas and heaps. The size of a heap follows the tunable of huge pages from 2.35 to 2.41.
#define NONCONTIGUOUS_BIT (2U)
#define contiguous(M) (((M)->flags & NONCONTIGUOUS_BIT) == 0)
#define noncontiguous(M) (((M)->flags & NONCONTIGUOUS_BIT) != 0)
#define top(ar_ptr) ((ar_ptr)->top)
#define DEFAULT_MMAP_THRESHOLD_MAX (4 * 1024 * 1024 * sizeof (long))
#define HEAP_MAX_SIZE (2 * DEFAULT_MMAP_THRESHOLD_MAX)
##ifdeffield struct malloc_par tcache_small_bins
#define heap_max_size() HEAP_MAX_SIZE
##elifdeffield struct malloc_par hp_pagesize
#define heap_max_size() (mp_.hp_pagesize == 0 ? HEAP_MAX_SIZE : mp_.hp_pagesize * 4)
##else
#define heap_max_size() HEAP_MAX_SIZE
##endif
#define heap_for_ptr(ptr) ((heap_info *) ((unsigned long) (ptr) & ~(heap_max_size () - 1)))
#define arena_for_chunk(ptr) (chunk_main_arena (ptr) ? &main_arena : heap_for_ptr (ptr)->ar_ptr)

#endif
