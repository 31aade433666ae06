// test type-error
//: struct large { long a, b, c; };
//: void op_open(int fd);
//: int op_close(int fd, int how);
//: double op_size(char *path);
//: struct large op_stat(int fd);
//: void od_one(int a);
//: void od_two(int a);
//: void od_three(int a);
//! most-probes 2
_probe `op_*`(...) { }
_probe `od_*`(...) { printf("%d", a); }
_probe `od_t*`(...) { printf("%d %d", a, b); }
//> error 11:8: `op_*` matches 4 functions [2 are the most that one probe may be on] (help: narrow the pattern, or name a module: `libc.so.6::`…``; `--max-probes` allows more)
//> error 12:8: `od_*` matches 3 functions [2 are the most that one probe may be on] (help: narrow the pattern, or name a module: `libc.so.6::`…``; `--max-probes` allows more)
//> error 13:42: unknown name `b` [neither the script nor the target has it]
