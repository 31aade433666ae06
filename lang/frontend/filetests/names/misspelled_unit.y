// test type-error
_probe _timer.sec(1) { }
//> error 2:15: no timer `_timer.sec` [no such unit] (help: there are `_timer.s(n)`, `_timer.ms(n)`, `_timer.us(n)` and `_timer.profile(hz)`)
