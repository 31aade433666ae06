// test type-error
_probe _oneshot {
    printf("%y\n", 1);
}
//> error 3:12: bad conversion `%y` [no such conversion; there are d i u o x X c p e f g a s V hB hT]
