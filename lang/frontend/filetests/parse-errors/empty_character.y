// test parse-error
_probe _oneshot { int a = ''; }
//> error 2:27: wrong character literal [a character literal holds one character]
