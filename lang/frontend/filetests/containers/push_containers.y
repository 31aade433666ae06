// test type-error
_probe _oneshot {
    long a[][]; long b[];
    _push(a, b);
}
//> error 4:14: containers are not copied [the elements are `long []`] (help: push into an element: `_push(a[i], v)`, or use a table of arrays `T a[K][]`)
