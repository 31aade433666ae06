// test type-error
_probe _oneshot {
    _func();
}
//> error 3:5: `_func` needs a probe on an event [this build has none yet]
