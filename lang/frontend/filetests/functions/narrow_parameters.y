// test run
int f(char c, unsigned short s, _Bool b) { return c + s + b; }
_probe _oneshot { printf("%d\n", f(300, 70000, 5)); }
//> 4509
