// test parse-error
_probe _oneshot { puts("x); }
//> error 2:23: a bracket is never closed [opened here] (help: the end of the file comes first)
//> error 2:24: this string never ends [no closing quote on this line]
