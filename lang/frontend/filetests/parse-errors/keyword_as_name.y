// test parse-error
_probe _oneshot { int while = 1; }
//> error 2:23: expected a name, found `while` [a name must stand here] (help: `while` is a word of the language; a name of the target that is spelt so is written `` `while` ``)
