// test type-error
_probe _oneshot { printf("%q\n", 1); }
//> error 2:26: bad conversion `%q\n` [no such conversion; there are d i u o x X c p e f g a s V hB hT]
