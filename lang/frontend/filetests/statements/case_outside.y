// test type-error
_probe _oneshot {
    case 1: puts("x");
}
//> error 3:5: `case` outside of a `switch` [nothing chooses it]
