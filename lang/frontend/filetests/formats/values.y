// test run
_probe _oneshot {
    struct s { int a; _str b; double c; _Bool d; char e; int f[2]; } v = { 1, "x\n", 1.5, 1, 65, { 2, 3 } };
    printf("%V\n%V %V %V %V %V\n", v, 1, 1.5, "s", NULL, v.f);
}
//> {a = 1, b = "x\n", c = 1.5, d = true, e = 'A', f = {2, 3}}
//> 1 1.5 "s" 0x0 {2, 3}
