// test run
_probe _oneshot {
    struct s { int a[2][2]; } v;
    for (int i = 0; i < 4; i++) v.a[i / 2][i % 2] = i;
    printf("%V\n", v);
}
//> {a = {{0, 1}, {2, 3}}}
