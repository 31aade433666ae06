/// The chunks of every heap, from its start to the top, and the cache of the thread that made the heap, which is the first chunk of it.
#include <glibc/c.y>

static size_t
walk (mchunkptr p, mchunkptr end, mstate av)
{
  size_t used = 0;

  for (; p < end; p = next_chunk (p))
    {
      if (!aligned_OK (chunk2mem (p)) || chunksize (p) < MINSIZE)
        _error ("a broken chunk at %p", p);
      if (arena_for_chunk (p) != av)
        _error ("a chunk of another arena at %p", p);
      if (inuse_bit_at_offset (p, chunksize (p)))
        used += chunksize (p);
    }
  return used;
}

static int
cached (struct tcache_perthread_struct *tcache)
{
  int i, n = 0;
  tcache_entry *e;

  for (i = 0; i < TCACHE_MAX_BINS; ++i)
    {
      for (e = tcache->entries[i]; e; e = REVEAL_PTR (e->next))
        {
          if (csize2tidx (chunksize (mem2chunk (e))) != i)
            _error ("a chunk in the wrong bin of a cache");
          n++;
        }
    }
  return n;
}

_probe _oneshot
{
  mstate av = &main_arena;
  heap_info *heap;
  mchunkptr p;
  size_t used;

  do
    {
      if (av == &main_arena)
        p = (mchunkptr) mp_.sbrk_base;
      else
        {
          heap = heap_for_ptr (top (av));
          while (heap->prev != NULL)
            heap = heap->prev;
          p = (mchunkptr) (((size_t) (heap->ar_ptr + 1) + MALLOC_ALIGN_MASK) & ~MALLOC_ALIGN_MASK);
        }
      used = walk (p, top (av), av);
      printf ("%s in use and fast %s, cached %d\n", av == &main_arena ? "main arena:" : "another arena:",
              used > 0 && used < av->system_mem ? "plausible" : "odd", cached ((struct tcache_perthread_struct *) chunk2mem (p)));
    }
  while ((av = av->next) != &main_arena);
}
