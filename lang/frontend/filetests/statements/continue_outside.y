// test type-error
_probe _oneshot {
    continue;
}
//> error 3:5: `continue` outside of a loop [nothing to go on with]
