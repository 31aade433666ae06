// test type-error
_probe _oneshot {
    break;
}
//> error 3:5: `break` outside of a loop or a switch [nothing to leave]
