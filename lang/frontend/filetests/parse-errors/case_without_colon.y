// test parse-error
_probe _oneshot { switch (1) { case 1 break; } }
//> error 2:39: expected `:`, found `break` [`:` must stand here]
