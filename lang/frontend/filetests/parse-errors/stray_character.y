// test parse-error
_probe _oneshot { int a = 1 @ 2; }
//> error 2:29: this character has no meaning here: `@` [not part of the language]
//> error 2:31: expected `;`, found `2` [`;` must stand here]
