// test parse-error
_probe _oneshot { int a = 1, = 2; }
//> error 2:30: expected a name or `(`, found `=` [a name or `(` must stand here]
