// test type-error
//: void f(int n);
_option int every = 0;
_option int look_at = 0;
_probe f(int n) { printf("%d", _every(every, n)); }
_probe f(int n) { printf("%d", _every(2 * (long) every, n)); }
_probe _timer.s(look_at) { }
_probe _watch(0, 8, "w") { }
//> error 3:13: --every is 0, and must be above 0 [a sample is one in so many]
//> error 7:17: an interval must be positive [this is 0] (help: it is the option --look-at: give it a number above 0)
//> error 8:15: there is nothing to be watched at address 0 [this is NULL] (help: write `&variable`, or the address as `ytrace list` and `printf("%p")` show it)
