// test run
//: struct node { struct node *left, *right; long size; };
//: struct node *root;
//! steps 100000000
//! tracer-memory 2000000000
//! memory 0x10000 u64 0x1000000
//! repeat 0x1000000 524287 24 u64 0x1000018+48*i 0x1000030+48*i 0+1*i
//! repeat 0x1bfffe8 524288 24 u64 0 0 524287+1*i
long held[_path];
_probe _oneshot {
    struct node *todo[];
    _path where[];
    _path top;
    long nodes = 0, total = 0;
    _push(todo, root);
    _push(where, top / "root");
    while (_elems(todo)) {
        struct node *n = _pop(todo);
        _path p = _pop(where);
        nodes++;
        total += n->size;
        held[_depth(p) < 4 ? p : p] += n->size;
        if (n->left) { _push(todo, n->left); _push(where, p / "left"); }
        if (n->right) { _push(todo, n->right); _push(where, p / "right"); }
    }
    printf("%ld nodes, %ld, %ld paths\n", nodes, total, _elems(held));
    assert(total == _sum(held));
}
//> 1048575 nodes, 549754241025, 1048575 paths
