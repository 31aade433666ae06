// test parse-error
typedef int v4 __attribute__((vector_size(16)));
_probe _oneshot { }
//> error 2:31: the attribute `vector_size` is not supported [it would change where things lie] (help: take the type from the target's debug information, or write out the padding as members)
