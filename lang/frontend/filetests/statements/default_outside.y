// test type-error
_probe _oneshot {
    default: puts("x");
}
//> error 3:5: `default` outside of a `switch` [nothing chooses it]
