// test run
typedef int number;
long a = (size_t) { 3 };
double b = (number) { 4 } + (long) { 5 };
struct pair { int x, y; };
struct pair c = (struct pair) { 6, 7 };
_probe _oneshot { printf("%ld %g %V\n", a, b, c); }
//> 3 9 {x = 6, y = 7}
