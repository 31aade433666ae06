// test type-error
_probe _oneshot {
    long t[int, int];
    t[1] = 2;
}
//> error 4:5: this table has 2 keys, not 1 [its keys are [int, int]]
