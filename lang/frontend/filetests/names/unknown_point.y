// test type-error
_probe _never { }
//> error 2:8: no function `_never` [the target has no such function]
