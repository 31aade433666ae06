// test parse-error
_probe _oneshot { int a = 1 2; }
//> error 2:29: expected `;`, found `2` [`;` must stand here]
