// test type-error
//: void nothing(int n);
//: double half(int n);
//: void bare(int n);
//! stripped bare
_probe nothing(int n) -> int r { }
_probe nothing(...) -> r { }
_probe half(int n) -> long r { }
_probe half(int n) -> void r { }
_probe half(int n) -> _str r { }
_probe bare(int n) -> r { }
_probe bare(...) { }
//> error 6:26: `nothing` returns nothing [there is no result to name] (help: write `-> _void`)
//> error 7:24: `nothing` returns nothing [there is no result to name] (help: write `-> _void`)
//> error 8:23: the result of `half` is `double` [`long` is passed differently] (help: it takes 8 bytes in an SSE register; this type takes 8 bytes in an integer register)
//> error 9:23: a result cannot be `void` [there is no value to name] (help: a probe on the return of such a function is `-> _void`)
//> error 10:23: unknown type `_str` [neither the script nor the target has it]
//> error 11:23: the type of what `bare` returns is not known [there is no debug information about it] (help: write its type: `-> long r`)
//> error 12:8: the parameters of `bare` are not known [there is no debug information about it] (help: write them, `bare(void *p, size_t n)`, or ask for `_arg(0)`)
