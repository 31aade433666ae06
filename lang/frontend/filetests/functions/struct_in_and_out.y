// test run
struct v { double x, y; };
struct v add(struct v a, struct v b) { a.x += b.x; a.y += b.y; return a; }
_probe _oneshot { struct v a = { 1, 2 }, b = { 3, 4 }, c = add(a, add(a, b)); printf("%V %V\n", a, c); }
//> {x = 1.0, y = 2.0} {x = 5.0, y = 8.0}
