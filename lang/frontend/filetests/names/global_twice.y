// test type-error
int a;
long a;
_probe _oneshot { a = 1; }
//> error 3:6: `a` is defined twice [defined again here] [2:5: first defined here]
