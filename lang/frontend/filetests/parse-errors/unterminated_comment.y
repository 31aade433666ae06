// test parse-error
_probe _oneshot { } /* never
//> error 2:21: this comment never ends [no `*/` follows]
