// test run
int odd(int n);
int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int odd(int n) { return n == 0 ? 0 : even(n - 1); }
_probe _oneshot { printf("%d %d\n", even(10), odd(10)); }
//> 1 0
