// test type-error
_probe _oneshot {
    void *p = _uaddr("no_such_thing");
}
//> error 3:22: unknown name `no_such_thing` [neither the script nor the target has it]
