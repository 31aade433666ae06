// test type-error
_probe _oneshot {
    int x;
    int *p = &x;
}
//> error 4:14: a variable of the script has no address [this lives in the tracer; pointers point into the target] (help: pass tables and arrays themselves (they go by reference), return structs by value)
