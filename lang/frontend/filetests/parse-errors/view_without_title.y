// test parse-error
_view bars long t[_str];
_probe _oneshot { }
//> error 2:12: expected a string, found `long` [a string must stand here]
