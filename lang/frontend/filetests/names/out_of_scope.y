// test type-error
_probe _oneshot {
    { int inner = 1; }
    inner = 2;
}
//> error 4:5: unknown name `inner` [neither the script nor the target has it]
