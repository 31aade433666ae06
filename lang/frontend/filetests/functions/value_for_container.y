// test type-error
long f(long t[int]) { return t[1]; }
_probe _oneshot { f(3); }
//> error 3:21: the argument `t` of `f` must be `long [int]` [this is `int`]
