// test parse-error
_probe _oneshot { if () puts("x"); }
//> error 2:23: expected an expression, found `)` [an expression must stand here]
