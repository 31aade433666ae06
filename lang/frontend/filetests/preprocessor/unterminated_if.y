// test parse-error
#if 1
_probe _oneshot { }
//> error 2:1: this condition never ends [no `#endif` follows]
