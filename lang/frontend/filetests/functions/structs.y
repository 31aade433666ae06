// test run
struct point { int x; int y; };
struct point move(struct point p, int dx) {
    p.x += dx;
    return p;
}
struct point make(int x, int y) {
    struct point p;
    p.x = x;
    p.y = y;
    return p;
}
_probe _oneshot {
    struct point a = make(1, 2);
    struct point b = move(move(a, 10), 100);
    printf("%d,%d %d,%d\n", a.x, a.y, b.x, b.y);
    printf("%d\n", move(a, 5).x);
}
//> 1,2 111,2
//> 6
