// test type-error
_probe _onshot { }
_probe _thread_begn { }
//> error 2:8: no probe point `_onshot` [no such point, and no such function] (help: did you mean `_oneshot`?)
//> error 3:8: no probe point `_thread_begn` [no such point, and no such function] (help: did you mean `_thread_begin` or `_thread_end`?)
