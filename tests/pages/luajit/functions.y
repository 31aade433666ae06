/// The function `sample.closure`: its upvalues with names and values, its prototype, its bytecode; and the objects of the heap by kind.
#include <luajit/c.y>

long objects[uint8_t];

static cTValue *find(GCtab *t, _str name)
{
  Node *node = noderef(t->node);
  do {
    uint32_t i = 0;
    for (; i <= t->hmask; i++, node++)
      if (tvisstr(&node->key) && strV(&node->key)->len == _len(name) && !memcmp(strVdata(&node->key), name, _len(name)))
        return &node->val;
  } while (0);
  return NULL;
}

static _str uvname(GCproto *pt, uint32_t idx)
{
  const uint8_t *p = proto_uvinfo(pt);
  if (!p) return "";
  if (idx) while (*p++ || --idx) ;
  return _tostr((const char *)p);
}

_probe _oneshot {
  lua_State *L = globalL;
  global_State *g = G(L);
  GCtab *sample = tabV(find(tabref(L->env), "sample"));
  cTValue *tv = find(sample, "closure");
  GCfunc *fn;
  GCproto *pt;
  GCobj *o;
  MSize i;

  if (!tv || !tvisfunc(tv)) goto fail;
  fn = funcV(tv);
  if (!isluafunc(fn)) goto fail;
  pt = funcproto(fn);
  for (i = 0; i < fn->l.nupvalues; i++) {
    GCupval *uv = &gcref(fn->l.uvptr[i])->uv;
    cTValue *o = uvval(uv);
    if (tvisstr(o))
      printf("%s = %s\n", uvname(pt, i), strVdata(o));
    else if (tvisnum(o))
      printf("%s = %g\n", uvname(pt, i), numV(o));
    else
      printf("%s: %d\n", uvname(pt, i), (int)itypemap(o));
  }
  printf("%s:%d\n", proto_chunknamestr(pt), pt->firstline);
  {
    BCIns *bc = proto_bc(pt);
    MSize pos, ret = 0;
    for (pos = 0; pos < pt->sizebc; pos++) {
      BCOp op = bc_op(bc[pos]);
      if (op == BC_RET || op == BC_RET0 || op == BC_RET1) ret++;
    }
    printf("returns %u\n", ret);
  }

  for (o = gcref(g->gc.root); o; o = gcnext(o))
    objects[o->gch.gct]++;
  printf("%s\n", objects[(uint8_t)~LJ_TTAB] >= 7 && objects[(uint8_t)~LJ_TFUNC] > 100 && objects[(uint8_t)~LJ_TSTR] == 0 ? "objects of every kind" : "odd");
  return;

fail:
  _error("no Lua function `sample.closure`");
}
