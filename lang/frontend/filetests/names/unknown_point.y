// test type-error
_probe _never { }
//> error 2:8: a probe on the function `_never` needs events, which this build does not have yet [this point cannot be attached] (help: `_oneshot`, `_begin`, `_end`, `_timer.s(n)` and `_timer.ms(n)` work)
