// test type-error
_probe _oneshot {
    long n = _every(3, 4);
}
//> error 3:14: `_every` needs a probe on an event [this build has none yet]
