// test parse-error
#frobnicate
_probe _oneshot { }
//> error 2:1: no directive `#frobnicate` [unknown]
