// test type-error
_probe _oneshot {
    int counter = 1;
    cuonter++;
}
//> error 4:5: unknown name `cuonter` [neither the script nor the target has it] (help: did you mean `counter`?)
