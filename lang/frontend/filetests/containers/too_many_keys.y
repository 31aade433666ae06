// test type-error
_probe _oneshot {
    long t[int];
    t[1, 2] = 2;
}
//> error 4:5: this table has 1 key, not 2 [its keys are [int]]
