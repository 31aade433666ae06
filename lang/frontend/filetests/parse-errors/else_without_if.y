// test parse-error
_probe _oneshot { else puts("x"); }
//> error 2:19: expected a statement, found `else` [a statement must stand here] (help: `else` is a word of the language; a name of the target that is spelt so is written `` `else` ``)
