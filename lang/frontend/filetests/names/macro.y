// test type-error
#define LIMIT 4
_probe _oneshot { int x = LIMTI; }
//> error 3:27: unknown name `LIMTI` [neither the script nor the target has it] (help: did you mean `LIMIT`?)
