// test type-error
int f(int a);
_probe _oneshot { f(1); }
//> error 3:19: `f` is declared, but has no body [called here]
