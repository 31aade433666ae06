// test run
int g[4];
struct grid { int cell[2][3]; };
_probe _oneshot {
    int a[3] = {1, 2, 3};
    for (int i = 0; i < 4; i++) g[i] = i * i;
    struct grid x;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) x.cell[i][j] = 10 * i + j;
    struct grid y = x;
    x.cell[1][2] = 99;
    printf("%d %d %d %d\n", a[2], g[3], x.cell[1][2], y.cell[1][2]);
}
//> 3 9 99 12
