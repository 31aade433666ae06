// test parse-error
#include "none.y"
_probe _oneshot { foo_t *p = bar(); walk(p); LOOP(p) { puts("x"); } }
//> error 2:1: no file `none.y` [not found] (help: looked for in the filetest)
