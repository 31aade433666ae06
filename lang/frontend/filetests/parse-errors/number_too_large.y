// test parse-error
_probe _oneshot { long a = 99999999999999999999999; }
//> error 2:28: `99999999999999999999999` is no number [the number does not fit in 64 bits]
