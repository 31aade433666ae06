// test parse-error
_probe _oneshot { int a[*]; }
//> error 2:26: expected an expression, found `]` [an expression must stand here]
