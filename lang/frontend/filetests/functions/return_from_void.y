// test type-error
void f(int a) { return 1; }
_probe _oneshot { f(1); }
//> error 2:17: a value is returned from a void function (help: declare what it returns, or write `return;`)
