// test run
int f(unsigned char n) {
    switch (n) {
    case 0: return 10;
    case 1: return 11;
    case 2: return 12;
    case 3: return 13;
    case 200: return 14;
    }
    return -1;
}
_probe _oneshot { printf("%d %d %d %d\n", f(0), f(3), f(200), f(7)); }
//> 10 13 14 -1
