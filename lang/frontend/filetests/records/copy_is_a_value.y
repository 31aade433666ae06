// test run
_probe _oneshot {
    struct s { int a[3]; } x = { { 1, 2, 3 } }, y = x;
    y.a[1] = 9;
    printf("%V %V\n", x, y);
}
//> {a = {1, 2, 3}} {a = {1, 9, 3}}
