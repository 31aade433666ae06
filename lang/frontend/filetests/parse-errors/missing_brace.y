// test parse-error
_probe _oneshot { if (1) { puts("x"); }
//> error 2:17: a bracket is never closed [opened here] (help: the end of the file comes first)
