// test parse-error
_probe _oneshot { puts("\q"); }
//> error 2:25: wrong escape in a string [`\q` is no escape]
