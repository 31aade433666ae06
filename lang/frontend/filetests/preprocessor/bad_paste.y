// test parse-error
#define J(a, b) a##b
_probe _oneshot { int x = J(+, 3); }
//> error 3:27: `+` and `3` do not make one token [joined by `##` in this macro]
