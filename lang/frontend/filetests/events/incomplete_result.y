// test type-error
// A value whose type is incomplete in the debug information cannot be had.
//: struct pair;
//: struct pair f(struct pair p, long n);
_probe f(long n) -> r { }
//> error 5:21: the size of `struct pair` is not known [the type is incomplete in the debug information] (help: write `-> _void`)
