// test type-error
_probe _oneshot {
    _arg(1);
}
//> error 3:5: `_arg` belongs to the body of a probe on an event [this probe is on none] (help: write `_probe f(T a, U b) { … }` for a function of the target)
