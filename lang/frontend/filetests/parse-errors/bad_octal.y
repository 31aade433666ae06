// test parse-error
_probe _oneshot { int a = 089; }
//> error 2:27: `089` is no number [8 and 9 are no octal digits (a leading 0 makes a number octal)]
