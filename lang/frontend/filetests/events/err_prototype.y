// test type-error
//: struct pair { long a, b; };
//: struct large { long a, b, c; };
//: void f(int n, double d, struct pair p, struct large l);
//: void none(void);
//: void log(char *format);
//! variadic log
_probe f(long n) { }
_probe f(int n, long d) { }
_probe f(int n, float d) { }
_probe f(int n, double d, struct large p) { }
_probe f(int n, double d, struct pair p, struct pair l) { }
_probe f(int n, double d, struct pair p, struct large l, int more) { }
_probe none(int n) { }
_probe log(char *format, int n) { }
_probe f(int n, double n) { }
_probe f(int n) { int n; }
_probe f(_str s) { }
_probe f(long t[int]) { }
_probe f(struct nowhere s) { }
_probe f(nowhere_t *s) { }
//> error 8:15: the parameter `n` of `f` is `int` [`long` is passed differently] (help: it takes 4 bytes in an integer register; this type takes 8 bytes in an integer register)
//> error 9:22: the parameter `d` of `f` is `double` [`long` is passed differently] (help: it takes 8 bytes in an SSE register; this type takes 8 bytes in an integer register)
//> error 10:23: the parameter `d` of `f` is `double` [`float` is passed differently] (help: it takes 8 bytes in an SSE register; this type takes 4 bytes in an SSE register)
//> error 11:40: the parameter `p` of `f` is `struct pair` [`struct large` is passed differently] (help: it takes 16 bytes in 2 integer registers; this type takes 24 bytes on the stack)
//> error 12:54: the parameter `l` of `f` is `struct large` [`struct pair` is passed differently] (help: it takes 24 bytes on the stack; this type takes 16 bytes in 2 integer registers)
//> error 13:62: `f` has 4 parameters [it is `f(int n, double d, struct pair p, struct large l)`]
//> error 14:17: `none` has no parameters [it is `none(void)`]
//> error 15:30: `log` names only 1 of its parameters [it is `log(char *format, ...)`] (help: where the others are depends on each call; integers and pointers are `_arg(n)`)
//> error 16:24: two parameters are called `n`
//> error 17:23: `n` is declared twice in this block [again here] [17:14: first here]
//> error 18:10: a function of the target takes and gives types of C [`_str` lives in the tracer] (help: text is a `char *`, from which `_tostr(s)` makes a `_str`)
//> error 19:10: a function of the target takes and gives types of C [`long [int]` lives in the tracer] (help: text is a `char *`, from which `_tostr(s)` makes a `_str`)
//> error 20:17: unknown type `struct nowhere` [neither the script nor the target has it]
//> error 21:10: unknown type `nowhere_t` [neither the script nor the target has it]
