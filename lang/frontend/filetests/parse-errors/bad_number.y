// test parse-error
_probe _oneshot { int a = 0x; }
//> error 2:27: `0x` is no number [digits must follow]
