/// What `mallinfo2` counts, arena by arena: the bins and the fast bins, walked as malloc.c walks them.
#include <glibc/c.y>

struct info { size_t arena, ordblks, smblks, fsmblks, fordblks, keepcost; };

static struct info
int_info (mstate av, struct info m)
{
  size_t i;
  mbinptr b;
  mchunkptr p;
  INTERNAL_SIZE_T avail;
  INTERNAL_SIZE_T fastavail;
  int nblocks;
  int nfastblocks;

  /* The top chunk is one free block.  */
  avail = chunksize (av->top);
  nblocks = 1;

  nfastblocks = 0;
  fastavail = 0;

  for (i = 0; i < NFASTBINS; ++i)
    {
      for (p = fastbin (av, i);
           p != 0;
           p = REVEAL_PTR (p->fd))
        {
          if (misaligned_chunk (p))
            _error ("unaligned chunk in a fast bin");
          if (fastbin_index (chunksize (p)) != i)
            _error ("a chunk in the wrong fast bin");
          ++nfastblocks;
          fastavail += chunksize (p);
        }
    }

  avail += fastavail;

  for (i = 1; i < NBINS; ++i)
    {
      b = bin_at (av, i);
      for (p = last (b); p != b; p = p->bk)
        {
          if (i > 1 && bin_index (chunksize (p)) != i)
            _error ("a chunk of %lu bytes in bin %lu", chunksize (p), i);
          if (inuse (p) || prev_size (next_chunk (p)) != chunksize (p))
            _error ("a free chunk that its neighbour takes for used");
          ++nblocks;
          avail += chunksize (p);
        }
      if (i > 1 && first (b) != b && !get_binmap (av, i))
        _error ("a bin that the map does not know");
    }

  m.smblks += nfastblocks;
  m.ordblks += nblocks;
  m.fordblks += avail;
  m.arena += av->system_mem;
  m.fsmblks += fastavail;
  if (av == &main_arena)
    m.keepcost = chunksize (av->top);
  return m;
}

_probe _oneshot
{
  struct info m;
  mstate ar_ptr;

  ar_ptr = &main_arena;
  do
    {
      m = int_info (ar_ptr, m);
      ar_ptr = ar_ptr->next;
    }
  while (ar_ptr != &main_arena);

  printf ("arena=%zu ordblks=%zu smblks=%zu hblks=%d hblkhd=%zu fsmblks=%zu uordblks=%zu fordblks=%zu keepcost=%zu\n",
          m.arena, m.ordblks, m.smblks, mp_.n_mmaps, mp_.mmapped_mem, m.fsmblks, m.arena - m.fordblks, m.fordblks, m.keepcost);
}
