// test type-error
int f(int a) { return a; }
int f(int b) { return b; }
_probe _oneshot { f(1); }
//> error 3:5: `f` is defined twice [defined again here] [2:5: first defined here]
