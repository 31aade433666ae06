// test run
// A copy that has not got what the handler uses is left out, and the others are not.
//: long both(long a, int b, double d);
//: long alone(long a, int b);
//! copy both both.constprop.0 rdi - xmm0
//! copied alone - rdi
//! copy alone alone.constprop.1 rdi -
//! hit both rdi=1 rsi=2
//! hit both.constprop.0 rdi=21
//! hit alone rdi=5
//! hit alone.constprop.1 rdi=6
_probe both(...) { printf("%d\n", a); }
_probe both(...) { printf("not in the copy: %d\n", b); }
_probe alone(...) { printf("first lacks: %d\n", a); }
_probe alone(...) { printf("second lacks: %d\n", b); }
//> 1
//> not in the copy: 2
//> 21
//> second lacks: 5
//> first lacks: 6
