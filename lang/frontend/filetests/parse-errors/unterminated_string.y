// test parse-error
_probe _oneshot { puts("x); }
//> error 2:24: this string never ends [no closing quote on this line]
