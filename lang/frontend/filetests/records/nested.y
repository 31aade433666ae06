// test run
struct in { int a; _str s; };
struct out { struct in x; struct in y[2]; struct { int anon; }; };
_probe _oneshot {
    struct out o;
    o.x.a = 1;
    o.y[1].s = "hello";
    o.anon = 5;
    struct in c = o.y[1];
    c.a = 7;
    o.y[0] = c;
    o.x = o.y[0];
    printf("%d %s %d %d\n", o.x.a, o.x.s, o.y[1].a, o.anon);
}
//> 7 hello 0 5
