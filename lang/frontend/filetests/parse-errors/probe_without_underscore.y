// test parse-error
probe oneshot { }
//> error 2:7: this is no probe [did you mean `_probe _oneshot { … }`?]
