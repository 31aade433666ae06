// test parse-error
#ifndef MACHINE
#error "no machine"
#endif
_probe _oneshot { foo_t *p = bar(); walk(p; }
//> error 3:1: no machine [stated here]
