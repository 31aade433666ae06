// test parse-error
_probe { }
//> error 2:8: expected a probe point, found `{` [a probe point must stand here]
