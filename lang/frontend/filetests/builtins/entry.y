// test type-error
_probe _oneshot {
    _entry(1);
}
//> error 3:5: `_entry(e)` belongs to the body of a probe on a function's return [there is no entry here] (help: write `_probe f(…) -> r { … }`; hand the value to a function as an argument)
