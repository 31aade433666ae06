// test run
_probe _oneshot {
    struct rec { _str name; long size; };
    struct rec r[];
    struct rec v;
    v.name = "x"; v.size = 5; _push(r, v);
    v.name = "y"; v.size = 50; _push(r, v);
    v.name = "z"; v.size = 20; _push(r, v);
    _sort(r _by x.size _desc);
    for (int i = 0; i < _len(r); i++) printf("%s ", r[i].name);
    printf("\n");
}
//> y z x 
