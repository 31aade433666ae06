// test type-error
//: struct ngx_pool_s { int a; };
_probe _oneshot {
    struct ngx_pol_s *p = NULL;
}
//> error 4:12: unknown type `struct ngx_pol_s` [neither the script nor the target has it] (help: did you mean `ngx_pool_s`?)
