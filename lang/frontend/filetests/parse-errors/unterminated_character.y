// test parse-error
_probe _oneshot { int a = 'x; }
//> error 2:27: this character literal never ends [no closing quote on this line]
