// test run
int a = 5;
double d = 2.5;
_str s = "text";
int arr[3] = { 1, 2, 3 };
struct p { int x; long y; } v = { 1, -2 };
_probe _oneshot { printf("%d %.1f %s %d %d %ld\n", a, d, s, arr[2], v.x, v.y); }
//> 5 2.5 text 3 1 -2
