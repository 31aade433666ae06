// test type-error
//: struct large { long a, b, c; };
//: void op_open(int fd);
//: int op_close(int fd, int how);
//: double op_size(char *path);
//: struct large op_stat(int fd);
_probe `op_*`(...) { printf("%d", fd); }
_probe `op_[os]*` { }
_probe `op_*e`(long p) { }
_probe `op_*`() -> r { }
_probe `op_*n`(int fd, int how) { }
_probe `op_?t?t`(int fd) -> struct large l { }
_probe `op_?[tp]*`(int fd) { }
_probe `op_*t*`(int fd) { printf("%d", fd); }
_probe `op_?*`(int fd) { }
//> error 7:8: the functions of this pattern have different parameters [`op_open(int fd)` and `op_close(int fd, int how)`] (help: write those that all of them have, or none, and ask for `_arg(0)`, `_arg(1)` …)
//> error 8:8: no function matches `op_[os]*` [`*` stands for any text, `?` for one character] (help: did you mean `op_open`, `op_close` or `op_size`?)
//> error 9:21: the parameter `fd` of `op_close` is `int` [`long` is passed differently] (help: it takes 4 bytes in an integer register; this type takes 8 bytes in an integer register)
//> error 10:8: the functions of this pattern do not have these parameters in the same places [`op_close` differs from the first] (help: narrow the pattern, or ask for registers: `_arg(n)`)
//> error 11:28: `op_open` has 1 parameter [it is `op_open(int fd)`]
//> error 13:8: no function matches `op_?[tp]*` [`*` stands for any text, `?` for one character]
//> error 15:8: the functions of this pattern do not have these parameters in the same places [`op_stat` differs from the first] (help: narrow the pattern, or ask for registers: `_arg(n)`)
//> error 15:20: the parameter `path` of `op_size` is `char *` [`int` is passed differently] (help: it takes 8 bytes in an integer register; this type takes 4 bytes in an integer register)
