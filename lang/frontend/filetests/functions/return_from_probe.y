// test type-error
_probe _oneshot { return 3; }
//> error 2:19: a value is returned from a void function (help: a probe returns nothing; write `return;`)
