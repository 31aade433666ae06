// test parse-error
_probe _oneshot { _try { } }
//> error 2:28: expected `_catch`, found `}` [`_catch` must stand here]
