// test parse-error
#endif
_probe _oneshot { }
//> error 2:1: no condition is open here [this continues or ends nothing]
