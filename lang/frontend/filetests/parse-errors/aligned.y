// test parse-error
struct s { char a; } __attribute__((aligned(8)));
_probe _oneshot { }
//> error 2:37: the attribute `aligned` is not supported [it would change where things lie] (help: take the type from the target's debug information, or write out the padding as members)
