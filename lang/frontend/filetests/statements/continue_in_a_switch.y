// test type-error
_probe _oneshot {
    switch (1) { case 1: continue; }
}
//> error 3:26: `continue` outside of a loop [nothing to go on with]
