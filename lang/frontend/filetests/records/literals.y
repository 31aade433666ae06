// test run
struct p { int x; int y; _str name; };
int sum(struct p v) { return v.x + v.y; }
_probe _oneshot {
    struct p a = { 1, 2, "a" };
    struct p b = { .y = 5 };
    printf("%d %d %s\n", b.x, b.y, a.name);
    printf("%d\n", sum((struct p) { 3, 4 }));
    struct p c = 1 ? a : b;
    printf("%d\n", c.y);
}
//> 0 5 a
//> 7
//> 2
