// test run
//: int counter;
//: void f(void);
//! hit line:f.c:12 rdi=1
//! hit address:0x400000 rsp=2
//! hit address:0x400004 rsp=3
//! hit static:libc:memory_heap_new arg0=0x1000 arg1=-5
//! hit watch:0x10000
//! hit _thread_begin tid=9
//! hit _thread_end tid=9 arg0=1
//! hit _exec
//! hit _signal arg0=11
//! hit _page_fault arg0=0x7000
//! hit profile rip=0x400010
//! hit _exit arg0=3
enum { LINE = 12 };
_option _str file = "f.c";
_probe _line(file, LINE) { printf("line %d\n", _reg("rdi")); }
_probe _addr(0x400000) { printf("address %d\n", _reg("rsp")); }
_probe _addr((char *) &f + 4) { printf("offset %d\n", _reg("rsp")); }
_probe _usdt("libc:memory_heap_new") (heap, n) { printf("%#x %d %d\n", heap, n, _arg(1)); }
_probe _watch(&counter, 4, "w") { printf("watch\n"); }
_probe _watch(&counter, sizeof(counter), "rw") { printf("watch, too\n"); }
_probe _thread_begin { printf("begin %d\n", _tid()); }
_probe _thread_end { printf("end %d %d\n", _tid(), _arg(0)); }
_probe _exec { printf("exec\n"); }
_probe _signal { printf("signal %d\n", _arg(0)); }
_probe _page_fault { printf("page fault at %p\n", (void *)_arg(0)); }
_probe _exit { printf("exit %d\n", _arg(0)); }
_probe _timer.profile(99) { printf("sample at %p\n", _pc_reg()); }
//> line 1
//> address 2
//> offset 3
//> 0x1000 -5 -5
//> watch
//> watch, too
//> begin 9
//> end 9 1
//> exec
//> signal 11
//> page fault at 0x7000
//> sample at 0x400010
//> exit 3
