// test run
_probe _oneshot {
    struct p { int a; _str b; };
    struct p a[];
    _push(a, (struct p) { 1, "x" }); _push(a, (struct p) { 2, "y" });
    _foreach (p in a _by p.a _desc) printf("%d%s ", p.a, p.b);
    puts("");
}
//> 2y 1x 
