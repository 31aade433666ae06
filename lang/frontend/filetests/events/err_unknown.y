// test type-error
//: void ngx_create_pool(int n);
//: int ngx_cycle;
_probe ngx_creat_pool(int n) { printf("%d", n); }
_probe ngx_cycle { }
_probe libx.so::f { }
_probe app::nothing_here_at_all { }
_probe `ngx_creates_*`(int n) { }
_probe _func("ngx_create_poll")(...) { printf("%d", n); }
//> error 4:8: no function `ngx_creat_pool` [the target has no such function] (help: did you mean `ngx_create_pool`?)
//> error 5:8: `ngx_cycle` is a variable of the target [a probe is on a function] (help: who changes it, `_probe _watch(&ngx_cycle, 8, "w")` tells)
//> error 6:8: no module or source file `libx.so` in the target [it is not loaded] (help: if the target loads it later, `--pending` waits for it)
//> error 7:8: no function `nothing_here_at_all` [`app` has no such function]
//> error 8:8: no function matches `ngx_creates_*` [`*` stands for any text, `?` for one character] (help: did you mean `ngx_create_pool`?)
//> error 9:14: no function `ngx_create_poll` [the target has no such function] (help: did you mean `ngx_create_pool`?)
