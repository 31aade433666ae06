// test type-error
_probe _oneshot {
    long a[int], b[int];
    a = b;
}
//> error 4:5: containers are never assigned [this is `long [int]`] (help: assign to an element `[k]`; `_push(a, v)` appends; `_clear(a)` empties)
//> error 4:9: `long [int]` is not a value [a container can be passed to functions, not copied or computed with] (help: take an element `[k]`, or its size `_len(…)`)
