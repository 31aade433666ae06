// test type-error
int f(int a) { return a; }
_probe _oneshot { f(1, 2); }
//> error 3:19: `f` takes 1 argument, not 2 [called here] [2:5: defined here]
