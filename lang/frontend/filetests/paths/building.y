// test run
long held[_path];
_probe _oneshot {
    _path p;
    printf("%ld\n", _depth(p));
    p = p / "root" / "a";
    held[p] += 10;
    held[p / "b"] += 5;
    held[p / "b"] += 5;
    p /= "c";
    printf("%ld %s %s\n", _depth(p), _leaf(p), _leaf(_parent(p)));
    printf("%d\n", _parent(p) / "b" in held);
    _path q;
    q = q / "root" / "a";
    printf("%d %ld\n", q == _parent(p), held[q / "b"]);
}
//> 0
//> 3 c a
//> 1
//> 1 10
