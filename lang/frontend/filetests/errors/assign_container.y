// test type-error
_probe _oneshot {
    int a[];
    int b[];
    a = b;
}
//> error 5:5: containers are never assigned [this is `int []`] (help: assign to an element `[k]`; `_push(a, v)` appends; `_clear(a)` empties)
//> error 5:9: `int []` is not a value [a container can be passed to functions, not copied or computed with] (help: take an element `[k]`, or its size `_len(…)`)
