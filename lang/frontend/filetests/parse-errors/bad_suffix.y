// test parse-error
_probe _oneshot { int a = 12abc; }
//> error 2:27: `12abc` is no number [`abc` is no suffix of an integer]
