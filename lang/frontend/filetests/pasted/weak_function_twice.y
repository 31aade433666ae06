// test type-error
// Only one definition may be strong.
__attribute__((weak)) int f(void) { return 1; }
int f(void) { return 2; }
int f(void) { return 3; }
_probe _oneshot { printf("%d\n", f()); }
//> error 5:5: `f` is defined twice [defined again here] [4:5: first defined here]
