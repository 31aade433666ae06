// test type-error
_probe _oneshot {
    _arg(1);
}
//> error 3:5: `_arg` needs a probe on an event [this build has none yet]
