// test run
_probe _oneshot {
    struct p { int x, y; };
    struct p a[];
    _push(a, (struct p) { .y = 2 });
    printf("%V %d\n", a, (struct p) { 5, 6 }.y);
}
//> {{x = 0, y = 2}} 6
