// test type-error
_probe _oneshot {
    _func();
}
//> error 3:5: `_func` belongs to probes on events [this probe is on none] (help: write `_probe f(T a, U b) { … }` for a function of the target)
