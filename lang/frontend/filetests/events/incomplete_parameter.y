// test type-error
// A value whose type is incomplete in the debug information cannot be had.
//: struct pair;
//: struct pair f(struct pair p, long n);
_probe f(...) { }
//> error 5:8: the size of `struct pair` is not known [the type is incomplete in the debug information] (help: write the parameters that are needed, or ask for registers: `_arg(n)`)
