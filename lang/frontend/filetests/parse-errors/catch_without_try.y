// test parse-error
_probe _oneshot { _catch { } }
//> error 2:19: expected a statement, found `_catch` [a statement must stand here] (help: `_catch` is a word of the language; a name of the target that is spelt so is written `` `_catch` ``)
