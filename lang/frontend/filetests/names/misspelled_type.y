// test type-error
_probe _oneshot {
    struct connection { int a; };
    struct conection c;
}
//> error 4:12: unknown type `struct conection` [neither the script nor the target has it] (help: did you mean `connection`?)
