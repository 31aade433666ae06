// test parse-error
_probe _oneshot { int a = 1 + ; }
//> error 2:31: expected an expression, found `;` [an expression must stand here]
