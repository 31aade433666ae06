// test run
double f(int a, char b, double c, float d, long e, _str s, unsigned char g) {
    return a + b + c + d + e + _len(s) + g;
}
_probe _oneshot { printf("%.2f\n", f(1, 2, 3.25, 4.5, 5, "six", 300)); }
//> 62.75
