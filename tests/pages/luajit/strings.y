/// The string table, bucket by bucket: as many strings as the machine itself counts, each in the bucket and in the node where it belongs.
#include <luajit/c.y>

_probe _oneshot {
  global_State *g = G(globalL);
  GCRef *strtab = lj_strtab(g);
  MSize i, n = 0, longest = 0, words = 0;
  GCstr *s;
  GCobj *o;

  for (i = lj_strmask(g); i != ~(MSize)0; i--) {
    MSize chain = 0;
    o = (GCobj *)(gcrefu(strtab[i]) & ~(uintptr_t)1);
    while (o != NULL) {
      s = gco2str(o);
      if (o->gch.gct != (uint8_t)~LJ_TSTR)
        _error("no string at %p", o);
      if ((s->hash & lj_strmask(g)) != i)
        _error("the string %s is in the wrong bucket", strdata(s));
      if (s->len > 4 && !strncmp(strdata(s), "word", 4) && strdata(s)[4] >= '0' && strdata(s)[4] <= '9')
        words++;
      chain++;
      o = gcnext(o);
    }
    n += chain;
    longest = chain > longest ? chain : longest;
  }
  printf("strings %s\n", n == lj_strnum(g) ? "as counted" : "differ");
  printf("words %u, longest chain %s\n", words, longest < 20 ? "short" : "long");
}
