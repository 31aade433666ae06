// test type-error
#define twice(a) ((a) * 2)
_probe _oneshot { int x = twise(2); }
//> error 3:27: unknown function `twise` [neither the script nor the built-ins have it] (help: did you mean `twice`?)
