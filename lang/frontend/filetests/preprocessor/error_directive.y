// test parse-error
#error "not today"
_probe _oneshot { }
//> error 2:1: not today [stated here]
