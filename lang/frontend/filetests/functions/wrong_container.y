// test type-error
long f(long t[int]) { return t[1]; }
_probe _oneshot { long t[_str]; f(t); }
//> error 3:35: the argument `t` of `f` must be `long [int]` [this is `long [_str]`]
