// test type-error
//: int ngx_cycle;
_probe _oneshot {
    int x = ngx_cylce;
}
//> error 4:13: unknown name `ngx_cylce` [neither the script nor the target has it] (help: did you mean `ngx_cycle`?)
