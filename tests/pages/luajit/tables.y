/// The tables of a program's global `sample`, and how many pairs each has, counted as LuaJIT goes over them.
#include <luajit/c.y>

static MSize tab_count(GCtab *t)
{
  MSize i, n = 0;
  for (i = 0; i < t->asize; i++)  /* Traverse array part. */
    if (!tvisnil(arrayslot(t, i)))
      n++;
  for (i = 0; i <= t->hmask; i++) {  /* Traverse hash part. */
    Node *node = &noderef(t->node)[i];
    if (!tvisnil(&node->val)) n++;
  }
  return n;
}

_probe _oneshot {
  lua_State *L = globalL;
  GCtab *env = tabref(L->env);
  cTValue *tv = NULL;
  GCtab *t;
  MSize i;

  for (i = 0; i <= env->hmask; i++) {
    Node *n = &noderef(env->node)[i];
    if (tvisstr(&n->key) && strcmp(strVdata(&n->key), "sample") == 0)
      tv = &n->val;
  }
  if (!tv || !tvistab(tv))
    _error("no table `sample`");
  t = tabV(tv);
  for (i = 0; i <= t->hmask; i++) {
    Node *n = &noderef(t->node)[i];
    if (!tvisnil(&n->val) && tvistab(&n->val))
      printf("%s=%u\n", strVdata(&n->key), tab_count(tabV(&n->val)));
  }
  printf("_G=%u\n", tab_count(env));
}
