// test type-error
int f(int a, int b) { return a + b; }
_probe _oneshot { f(1); }
//> error 3:19: `f` takes 2 arguments, not 1 [called here] [2:5: defined here]
