// test type-error
_probe oneshot { }
//> error 2:8: no probe point `oneshot` [no such point, and no such function] (help: did you mean `_oneshot`?)
