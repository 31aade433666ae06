// test parse-error
puts("x");
_probe _oneshot { }
//> error 2:1: expected a declaration, a function or a probe, found `puts` [a declaration, a function or a probe must stand here] (help: a function starts with the type that it returns: `void puts(…)`)
