// test type-error
int f(int a) { return; }
_probe _oneshot { f(1); }
//> error 2:16: `return` without a value [this function returns `int`]
