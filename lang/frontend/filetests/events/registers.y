// test run
//: void f(void);
//! hit f rdi=5 rip=0x400010 rsp=0x7ff0 rbx=9 fs_base=0x1000 tid=77
_probe f {
    printf("%d %d %#x\n", _reg("rdi"), _reg("rbx"), _reg("fs_base"));
    printf("%p %p %d\n", _pc_reg(), _sp_reg(), _tid());
    printf("%#x %#x\n", _reg("rsp", 5), _reg("rip", _tid()));
}
//> 5 9 0x1000
//> 0x400010 0x7ff0 77
//> 0x7fff0005 0x400010
