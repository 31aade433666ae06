// test type-error
_probe _oneshot {
    long n = _every(3, 4);
}
//> error 3:14: `_every` belongs to probes on events [this probe is on none] (help: write `_probe f(T a, U b) { … }` for a function of the target)
