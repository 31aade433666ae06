// test type-error
_probe _oneshot {
    int *p = (int *) 0x1000;
    *p = 5;
}
//> error 4:5: a probe file cannot write to the target [this is memory of the target, which is only ever read] (help: keep what is computed in a variable of the script)
