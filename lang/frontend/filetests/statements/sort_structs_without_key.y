// test type-error
_probe _oneshot {
    struct s { int a; };
    struct s a[];
    _sort(a);
}
//> error 5:5: the elements have no order of their own [they are `struct s`] (help: say what to sort by: `_sort(a _by _.member)`)
