// test type-error
_probe _oneshot {
    _path p, q;
    int n = p < q;
}
//> error 4:13: paths have no order [only `==` and `!=` compare them] (help: to sort, sort by a name: `_leaf(p)`)
