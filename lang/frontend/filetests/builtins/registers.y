// test run
_probe _oneshot {
    printf("%d %d\n", _pc_reg() == (void *) _reg("rip"), _sp_reg() == (void *) _reg("rsp"));
}
//> 1 1
