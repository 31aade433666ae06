// test run
_probe _oneshot {
    _str a[];
    _push(a, "b"); _push(a, "a"); _push(a, "C");
    _sort(a);
    printf("%V\n", a);
}
//> {"C", "a", "b"}
