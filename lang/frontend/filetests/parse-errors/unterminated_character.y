// test parse-error
_probe _oneshot { int a = 'x; }
//> error 2:17: a bracket is never closed [opened here] (help: the end of the file comes first)
//> error 2:27: this character literal never ends [no closing quote on this line]
