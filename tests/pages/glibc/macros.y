/// Every macro of the library that the other pages do not use, at least compiled.
#include <glibc/c.y>

#define S(x) sum += (long) (x);

static long
sizes (size_t sz, long sum)
{
  S (SIZE_SZ) S (CHUNK_HDR_SZ) S (MALLOC_ALIGNMENT) S (MIN_CHUNK_SIZE) S (request2size (sz)) S (PREV_INUSE) S (IS_MMAPPED) S (NON_MAIN_ARENA)
  S (SIZE_BITS) S (NSMALLBINS) S (SMALLBIN_WIDTH) S (SMALLBIN_CORRECTION) S (MIN_LARGE_SIZE) S (in_smallbin_range (sz)) S (smallbin_index (sz))
  S (largebin_index (sz)) S (largebin_index_64 (sz)) S (BINMAPSHIFT) S (BITSPERMAP) S (BINMAPSIZE) S (idx2block (sz)) S (idx2bit (sz))
  S (MAX_FAST_SIZE) S (FASTBIN_CONSOLIDATION_THRESHOLD) S (get_max_fast ()) S (MAX_TCACHE_SIZE) S (tidx2usize (sz)) S (usize2tidx (sz))
  S (NONCONTIGUOUS_BIT) S (DEFAULT_MMAP_THRESHOLD_MAX) S (HEAP_MAX_SIZE) S (heap_max_size ())
  return sum;
}

static long
chunks (mstate av, mchunkptr p, long sum)
{
  S (chunksize_nomask (p)) S (prev_inuse (p)) S (chunk_is_mmapped (p)) S (chunk_main_arena (p)) S (chunk2rawmem (p)) S (memsize (p))
  S (prev_chunk (p)) S (chunk_at_offset (p, 32)) S (unsorted_chunks (av)) S (initial_top (av)) S (next_bin (bin_at (av, 2)))
  S (contiguous (av)) S (noncontiguous (av)) S (PROTECT_PTR (&p->fd, p->fd))
  return sum;
}

_probe _oneshot
{
  printf ("%lu %lu %s\n", sizes (100, 0), request2size (100), chunks (&main_arena, top (&main_arena), 0) ? "chunk" : "none");
}
