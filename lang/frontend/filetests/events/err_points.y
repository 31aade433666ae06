// test type-error
//: int counter;
//: int *pointer;
//: void f(void);
_option _str name = "x";
long script;
_probe _line("f.c") { }
_probe _line("f.c", 0) { }
_probe _line(12, 12) { }
_probe _line("f.c", counter) { }
_probe _addr(counter) { }
_probe _addr(pointer) { }
_probe _addr("main") { }
_probe _usdt("libc") { }
_probe _usdt(counter) { }
_probe _watch(&counter) { }
_probe _watch(&counter, 3, "w") { }
_probe _watch(&counter, 4, "r") { }
_probe _watch((char *) &counter + 1, 4, "w") { }
_probe _watch(pointer, 4, "w") { }
_probe _watch(&script, 8, "w") { }
_probe _timer.profile(0) { }
_probe _timer.profile(1000000) { }
_probe _timer.hours(1) { }
_probe _func(script) { }
_probe _func(3) { }
_probe _thread_start { }
//> error 7:1: `_line` takes a file and a line [1 given] (help: it is `_probe _line("server.c", 231) { … }`)
//> error 8:21: lines are counted from 1 [this is 0]
//> error 9:14: the name of a source file is a string that is known before anything runs [this is `int`] (help: write a string, or an option: `_option _str alloc = "malloc";`)
//> error 10:21: this must be an integer constant [its value is not known here]
//> error 11:14: the address of a probe is known before anything runs [this `int` is not] (help: write a number, `&variable`, `&function`, or one of these and an offset)
//> error 12:14: the address of a probe is known before anything runs [this `int *` is not] (help: write a number, `&variable`, `&function`, or one of these and an offset)
//> error 13:14: the address of a probe is known before anything runs [this `_str` is not] (help: write a number, `&variable`, `&function`, or one of these and an offset)
//> error 14:14: a static probe is called `provider:name` [this is `libc`] (help: `readelf -n FILE` lists those of a file)
//> error 15:14: the name of a static probe is a string that is known before anything runs [this is `int`] (help: write a string, or an option: `_option _str alloc = "malloc";`)
//> error 16:1: `_watch` takes an address, a length and a mode [1 given] (help: it is `_probe _watch(&variable, 8, "w") { … }`)
//> error 17:25: the processor watches 1, 2, 4 or 8 bytes [this is 3] (help: what is larger takes several probes)
//> error 18:28: no mode `r` of a watchpoint [the processor has no other] (help: `"w"` is for writes, `"rw"` for reads, too)
//> error 19:15: the processor watches 4 bytes at a multiple of 4 [this is 0x10001] (help: watch fewer bytes)
//> error 20:15: the address of a watchpoint is known before anything runs [this `int *` is not] (help: write a number, `&variable`, `&function`, or one of these and an offset)
//> error 21:15: a variable of the script has no address [this lives in the tracer; pointers point into the target] (help: pass tables and arrays themselves (they go by reference), return structs by value)
//> error 22:23: samples are taken 1 to 10000 times a second [this is 0]
//> error 23:23: samples are taken 1 to 10000 times a second [this is 1000000]
//> error 24:15: no timer `_timer.hours` [no such unit] (help: there are `_timer.s(n)`, `_timer.ms(n)`, `_timer.us(n)` and `_timer.profile(hz)`)
//> error 25:14: the name of a function is a string that is known before anything runs [this is `long`] (help: write a string, or an option: `_option _str alloc = "malloc";`)
//> error 26:14: the name of a function is a string that is known before anything runs [this is `int`] (help: write a string, or an option: `_option _str alloc = "malloc";`)
//> error 27:8: no function `_thread_start` [the target has no such function]
